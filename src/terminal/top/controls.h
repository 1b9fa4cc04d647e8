// What the keys of `top` do: a state machine without a terminal. A key changes the model or this, or asks for something
// that only the caller can do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "terminal/top/model.h"

namespace usvc::top {

enum class KeyKind : std::uint8_t {
  character,
  enter,
  escape,
  backspace,
  up,
  down,
  left,
  right,
  page_up,
  page_down,
  home,
  end,
  redraw,
};

struct Key {
  KeyKind kind = KeyKind::character;
  std::string text;  // of a character, UTF-8
};

enum class Action : std::uint8_t { leave, redraw, attach, log, restart, stop, start, why, events };

struct Request {
  Action action;
  std::vector<std::string> names;
};

struct KeyHelp {
  std::string_view keys;
  std::string_view what;
  std::string_view brief = {};  // in the footer; empty: not there
};
// Every key of the table.
const std::vector<KeyHelp>& key_help();

// Lines in place of the table, to be scrolled through.
class Pane {
 public:
  Pane(std::optional<Request> source, std::string title) : source_(std::move(source)), title_(std::move(title)) {}

  void set_text(std::string_view text);
  // Lines wider than the window go on in the next row.
  void resize(std::size_t width, std::size_t rows);
  void scroll(std::ptrdiff_t lines);
  void go_first();
  void go_last();

  [[nodiscard]] const std::string& title() const { return title_; }
  // What to ask for again to have it anew; nothing: it never changes.
  [[nodiscard]] const std::optional<Request>& source() const { return source_; }
  [[nodiscard]] const std::vector<std::string>& rows() const { return wrapped_; }
  [[nodiscard]] std::size_t first() const { return first_; }
  [[nodiscard]] std::size_t page() const { return page_; }

 private:
  void wrap();
  [[nodiscard]] std::size_t last_first() const { return wrapped_.size() > page_ ? wrapped_.size() - page_ : 0; }

  std::optional<Request> source_;
  std::string title_;
  std::vector<std::string> lines_;
  std::vector<std::string> wrapped_;
  std::size_t width_ = 80;
  std::size_t page_ = 20;
  std::size_t first_ = 0;
  bool at_end_ = false;  // new lines are followed
};

class Controls {
 public:
  explicit Controls(Model& model) : model_(&model) {}

  std::optional<Request> press(const Key& key);
  // Rows that a page of the table and of a pane has, and the columns of the window.
  void resize(std::size_t width, std::size_t table_rows, std::size_t pane_rows);

  // Something to be told until the next key.
  void say(std::string text, bool bad);
  void show_pane(Pane pane);
  [[nodiscard]] Pane* pane() { return pane_ ? &*pane_ : nullptr; }
  [[nodiscard]] const Pane* pane() const { return pane_ ? &*pane_ : nullptr; }

  [[nodiscard]] bool editing_filter() const { return editing_filter_; }
  [[nodiscard]] const std::string& question() const { return question_; }
  [[nodiscard]] const std::string& message() const { return message_; }
  [[nodiscard]] bool message_is_bad() const { return message_is_bad_; }

 private:
  std::optional<Request> in_table(const Key& key);
  std::optional<Request> in_filter(const Key& key);
  std::optional<Request> in_pane(const Key& key);
  std::optional<Request> answer(const Key& key);
  std::optional<Request> letter(char c);
  bool navigate(const Key& key);
  bool sort(char c);
  void escape();
  std::optional<Request> for_one(Action action);
  std::optional<Request> for_chosen(Action action);
  std::optional<Request> start_stopped();
  void help();

  Model* model_;
  std::optional<Pane> pane_;
  std::optional<Request> asked_;
  std::string question_;
  std::string message_;
  bool message_is_bad_ = false;
  bool editing_filter_ = false;
  std::size_t width_ = 80;
  std::size_t table_rows_ = 10;
  std::size_t pane_rows_ = 20;
};

}  // namespace usvc::top
