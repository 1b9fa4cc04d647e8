// A line typed at a terminal: editing, history and completion, by libedit. The keys are those of Emacs, and what the
// user's ~/.editrc makes of them.
//
// While a line is being typed the terminal sends no signals: Ctrl-C is a character that clears the line, and nothing
// but this program ever sees it.
#pragma once

#include <histedit.h>

#include <cwchar>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc {

// What the words before the cursor may become.
struct Completion {
  std::size_t begin = 0;           // where in what was typed the word begins that is to be replaced
  std::vector<std::string> words;  // as they are to stand there
  std::vector<std::string> shown;  // as they are to be listed, as many
};

class LineEditor {
 public:
  // Whoever has the line typed.
  class Host {
   public:
    virtual ~Host() = default;
    // Returns when standard input can be read; false: it is not to be waited for any longer.
    virtual bool await_input() = 0;
    // Ctrl-Z; the terminal's settings are what they were before.
    virtual void suspend() = 0;
    virtual Completion complete(std::string_view typed) = 0;
    // Clears the screen and puts the cursor at the beginning of an empty line.
    virtual void clear_screen() = 0;
  };

  enum class Outcome { line, interrupted, end };
  struct Line {
    Outcome outcome;
    std::string text;
  };

  // On standard input and output, which are a terminal. `host` outlives it.
  static Result<std::unique_ptr<LineEditor>> create(Host& host);
  explicit LineEditor(Host& host) : host_(&host) {}
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;
  LineEditor(LineEditor&&) = delete;
  LineEditor& operator=(LineEditor&&) = delete;
  ~LineEditor() = default;

  // `color` of the prompt's beginning: what stands before "\x01" in `prompt` is no text but control sequences between
  // two of them.
  Line read(const std::string& prompt);
  // For the arrow keys and Ctrl-R.
  void remember(const std::string& line);
  // Draws the line again where the cursor is: something else was written.
  void redraw();
  // The terminal has another size; redraw() is to follow.
  void resized();

 private:
  struct EndEdit {
    void operator()(EditLine* edit) const { ::el_end(edit); }
  };
  struct EndHistory {
    void operator()(History* history) const { ::history_end(history); }
  };

  static LineEditor* of(EditLine* edit);
  static char* prompt_of(EditLine* edit);
  static int next_character(EditLine* edit, wchar_t* to);
  static unsigned char on_tab(EditLine* edit, int key);
  static unsigned char on_clear(EditLine* edit, int key);

  void set_up();
  bool next_byte(char& byte);
  void suspend();
  void complete();
  void list(const Completion& completion);

  Host* host_;
  std::unique_ptr<EditLine, EndEdit> edit_;
  std::unique_ptr<History, EndHistory> history_;
  std::string prompt_;
  bool interrupted_ = false;
};

}  // namespace usvc
