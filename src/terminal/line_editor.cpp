#include "terminal/line_editor.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdio>

#include "base/files.h"

namespace usvc {

namespace {

constexpr char interrupt_key = 'C' - '@';
constexpr char suspend_key = 'Z' - '@';
constexpr int remembered_lines = 1000;
constexpr std::size_t most_listed = 200;
constexpr char invisible = '\x01';

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// What all of them begin with.
std::string common_beginning(const std::vector<std::string>& words) {
  std::string common = words.front();
  for (const auto& word : words) {
    const auto end = std::mismatch(common.begin(), common.end(), word.begin(), word.end()).first;
    common.erase(end, common.end());
  }
  // Not a part of a character.
  while (!common.empty() && (static_cast<unsigned char>(common.back()) & 0x80U) != 0) common.pop_back();
  return common;
}

std::string in_columns(const std::vector<std::string>& words, std::size_t width) {
  std::size_t widest = 1;
  for (const auto& word : words) widest = std::max(widest, word.size() + 2);
  const std::size_t columns = std::max<std::size_t>(width / widest, 1);
  const std::size_t rows = (words.size() + columns - 1) / columns;
  std::string text;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row; i < words.size(); i += rows) {
      text += words[i];
      if (i + rows < words.size()) text.append(widest - words[i].size(), ' ');
    }
    text += '\n';
  }
  return text;
}

void write_text(const std::string& text) {
  (void)std::fflush(stdout);
  // A terminal that is gone is told by the next read.
  (void)write_all(FdRef(STDOUT_FILENO), text);
}

}  // namespace

Result<std::unique_ptr<LineEditor>> LineEditor::create(Host& host) {
  // All of usvc speaks UTF-8, whatever the environment says; libedit asks the locale.
  (void)std::setlocale(LC_CTYPE, "C.UTF-8");
  auto editor = std::make_unique<LineEditor>(host);
  editor->edit_.reset(::el_init("usvc", stdin, stdout, stderr));
  editor->history_.reset(::history_init());
  if (editor->edit_ == nullptr || editor->history_ == nullptr) return fail("cannot edit lines on this terminal");
  editor->set_up();
  return editor;
}

void LineEditor::set_up() {
  EditLine* edit = edit_.get();
  HistEvent event{};
  (void)::history(history_.get(), &event, H_SETSIZE, remembered_lines);
  (void)::history(history_.get(), &event, H_SETUNIQUE, 1);
  (void)::el_set(edit, EL_CLIENTDATA, this);
  (void)::el_set(edit, EL_HIST, ::history, history_.get());
  (void)::el_set(edit, EL_PROMPT_ESC, &LineEditor::prompt_of, invisible);
  (void)::el_set(edit, EL_GETCFN, &LineEditor::next_character);
  (void)::el_set(edit, EL_SIGNAL, 0);
  (void)::el_set(edit, EL_EDITOR, "emacs");
  // Its keys come as characters; Ctrl-S is no brake for whoever types.
  (void)::el_set(edit, EL_SETTY, "-d", "-isig", "-ixon", nullptr);
  (void)::el_set(edit, EL_ADDFN, "usvc-complete", "complete the word", &LineEditor::on_tab);
  (void)::el_set(edit, EL_ADDFN, "usvc-clear", "clear the screen", &LineEditor::on_clear);
  const struct {
    const char* key;
    const char* does;
  } keys[] = {{"^I", "usvc-complete"},          {"^L", "usvc-clear"},         {"^R", "em-inc-search-prev"},
              {"^W", "ed-delete-prev-word"},    {"\\e[1;5D", "ed-prev-word"}, {"\\e[1;5C", "em-next-word"},
              {"\\e[3~", "ed-delete-next-char"}};
  for (const auto& [key, does] : keys) (void)::el_set(edit, EL_BIND, key, does, nullptr);
  (void)::el_source(edit, nullptr);
}

LineEditor* LineEditor::of(EditLine* edit) {
  void* self = nullptr;
  (void)::el_get(edit, EL_CLIENTDATA, &self);
  return static_cast<LineEditor*>(self);
}

char* LineEditor::prompt_of(EditLine* edit) {
  return of(edit)->prompt_.data();
}

LineEditor::Line LineEditor::read(const std::string& prompt) {
  prompt_ = prompt;
  interrupted_ = false;
  int length = 0;
  // libedit would do so at the first key: one that is typed when the prompt is seen is to find it done.
  (void)::el_set(edit_.get(), EL_PREP_TERM, 1);
  const char* typed = ::el_gets(edit_.get(), &length);
  if (interrupted_) return {Outcome::interrupted, {}};
  if (typed == nullptr || length <= 0) return {Outcome::end, {}};
  std::string text(typed, static_cast<std::size_t>(length));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return {Outcome::line, std::move(text)};
}

void LineEditor::remember(const std::string& line) {
  HistEvent event{};
  (void)::history(history_.get(), &event, H_ENTER, line.c_str());
}

void LineEditor::redraw() {
  (void)::el_set(edit_.get(), EL_REFRESH);
}

void LineEditor::resized() {
  ::el_resize(edit_.get());
}

bool LineEditor::next_byte(char& byte) {
  for (;;) {
    if (!host_->await_input()) return false;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    return got == 1;
  }
}

int LineEditor::next_character(EditLine* edit, wchar_t* to) {
  LineEditor* self = of(edit);
  std::mbstate_t state{};
  char byte = 0;
  while (self->next_byte(byte)) {
    if (byte == interrupt_key) {
      self->interrupted_ = true;
      write_text("^C");
      *to = L'\n';  // has the cursor put behind the line, and ends it
      return 1;
    }
    if (byte == suspend_key) {
      self->suspend();
      continue;
    }
    const std::size_t used = std::mbrtowc(to, &byte, 1, &state);
    if (used == static_cast<std::size_t>(-2)) continue;
    if (used != static_cast<std::size_t>(-1)) return 1;
    state = {};
  }
  return 0;
}

void LineEditor::suspend() {
  (void)::el_set(edit_.get(), EL_PREP_TERM, 0);
  write_text("\n");
  host_->suspend();
  (void)::el_set(edit_.get(), EL_PREP_TERM, 1);
  redraw();
}

unsigned char LineEditor::on_clear(EditLine* edit, int /*key*/) {
  (void)std::fflush(stdout);
  of(edit)->host_->clear_screen();
  of(edit)->redraw();
  return CC_NORM;
}

unsigned char LineEditor::on_tab(EditLine* edit, int /*key*/) {
  of(edit)->complete();
  return CC_REFRESH;
}

void LineEditor::complete() {
  EditLine* edit = edit_.get();
  const LineInfo* line = ::el_line(edit);
  const std::string typed(line->buffer, static_cast<std::size_t>(line->cursor - line->buffer));
  Completion completion = host_->complete(typed);
  if (completion.words.empty()) {
    ::el_beep(edit);
    return;
  }
  const bool only = completion.words.size() == 1;
  std::string text = common_beginning(completion.words);
  if (only) text = completion.words.front() + (completion.words.front().ends_with('/') ? "" : " ");
  const std::string_view word = std::string_view(typed).substr(completion.begin);
  if (!only && text.size() <= word.size()) {
    list(completion);
    return;
  }
  // libedit counts characters here.
  const auto characters =
      std::count_if(word.begin(), word.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; });
  ::el_deletestr(edit, static_cast<int>(characters));
  (void)::el_insertstr(edit, text.c_str());
}

void LineEditor::list(const Completion& completion) {
  auto shown = completion.shown;
  const std::size_t all = shown.size();
  if (all > most_listed) shown.resize(most_listed);
  std::string text = "\n" + in_columns(shown, terminal_width());
  if (all > most_listed) text += "… and " + std::to_string(all - most_listed) + " more\n";
  write_text(text);
  redraw();
}

}  // namespace usvc
