#include "cli/top/session.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "base/time.h"
#include "cli/observe.h"
#include "cli/table.h"
#include "cli/words.h"
#include "job/selector.h"
#include "log/tail.h"

namespace usvc {

namespace {

using namespace std::chrono_literals;
using top::Action;

// How long the new manager is spoken of.
constexpr auto news_last = 15s;

std::string_view verb_of(Action action) {
  switch (action) {
    case Action::restart:
      return "restart";
    case Action::stop:
      return "stop";
    case Action::start:
      return "start";
    case Action::why:
      return "why";
    case Action::events:
      return "events";
    case Action::attach:
      return "attach";
    case Action::log:
      return "log";
    case Action::leave:
    case Action::redraw:
      return "";
  }
  return "";
}

std::string_view last_line(std::string_view text) {
  text = trim(text);
  const auto newline = text.rfind('\n');
  return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

std::string_view first_line(std::string_view text) {
  text = trim(text);
  return text.substr(0, text.find('\n'));
}

std::string without_own_name(std::string_view line) {
  constexpr std::string_view own = "usvc: ";
  return plain_text(line.starts_with(own) ? line.substr(own.size()) : line);
}

// As Ctrl-Z does where nobody minds it; returns when it is continued.
void stop_here() {
  (void)std::signal(SIGTSTP, SIG_DFL);
  (void)::raise(SIGTSTP);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  (void)::pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  (void)::pthread_sigmask(SIG_BLOCK, &stop, nullptr);
}

}  // namespace

bool OutputTail::read(const Layout& layout, const std::string& log, std::size_t lines) {
  struct stat info {};
  std::string seen = fmt::format("{}\n{}", log, lines);
  if (::stat(log.c_str(), &info) == 0) {
    seen += fmt::format("\n{} {} {}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
  }
  if (seen == seen_) return false;
  seen_ = std::move(seen);
  lines_.clear();
  if (log.empty() || lines == 0) return true;
  std::string text = last_lines(layout, log, {}, lines);
  if (text.ends_with('\n')) text.pop_back();
  for (const auto line : split(text, '\n')) lines_.push_back(plain_text(line));
  return true;
}

TopSession::TopSession(const Context& context, Options options)
    : context_(&context), options_(std::move(options)), model_({job_row, trouble_words}), tasks_(context) {}

Result<int> TopSession::run(JobsReply first) {
  auto signals = Interrupt::create({SIGWINCH, SIGTSTP, SIGCONT});
  if (!signals) return pass(signals);
  signals_ = std::move(*signals);
  model_.begin_tick(ticks_, unix_now());
  model_.replace(std::move(first.jobs));
  around_.troubles = std::move(first.troubles);
  auto feed = Feed::start(*context_, options_.selectors);
  if (!feed) return pass(feed);
  feed_ = std::move(*feed);
  auto screen = top::Screen::open(context_->out.colors());
  if (!screen) return pass(screen);
  screen_.emplace(std::move(*screen));
  size_ = top::Screen::size();
  while (!leaving_) {
    if (Clock::now() >= next_tick_) tick();
    draw();
    if (auto status = wait(); !status) return pass(status);
  }
  return 0;
}

Status TopSession::wait() {
  std::vector<pollfd> fds = {
      {STDIN_FILENO, POLLIN, 0}, {signals_->fd().get(), POLLIN, 0}, {feed_->fd().get(), POLLIN, 0}};
  tasks_.append_to(fds);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_tick_ - Clock::now()).count();
  if (::poll(fds.data(), fds.size(), static_cast<int>(std::max<decltype(left)>(left, 0))) < 0 && errno != EINTR) {
    return fail(Error::last("cannot wait for keys"));
  }
  take_signals();
  if (fds[0].revents != 0) take_keys(fds[0].revents);
  if (fds[2].revents != 0) take_news();
  take_tasks();
  return {};
}

void TopSession::tick() {
  const auto now = Clock::now();
  // Not `next_tick_ + interval`: after a suspension that would be many at once.
  next_tick_ = now + options_.interval;
  model_.begin_tick(++ticks_, unix_now());
  const bool by_figures = model_.sort_key() == top::SortKey::cpu || model_.sort_key() == top::SortKey::mem;
  std::vector<top::Entry*> visible;
  const auto plan = top::plan_rows(size_, model_.all().size(), around_.troubles.size());
  model_.arrange();
  const std::size_t begin = model_.scroll(plan.jobs);
  for (std::size_t i = begin; i < std::min(begin + plan.jobs, model_.shown().size()); ++i) {
    visible.push_back(model_.shown()[i]);
  }
  meter_.measure(model_, visible, by_figures ? Meter::Need::all : Meter::Need::visible_only);
  model_.arrange();
  around_.host = host_line(observe_host());
}

std::string TopSession::manager_word() {
  around_.word_is_bad = true;
  switch (reach_) {
    case Reach::ended:
      return "the manager has ended, the next one is awaited; jobs run on";
    case Reach::silent:
      return why_;
    case Reach::offline:
      return why_.empty() ? "no instance runs: this is what is on disk" : why_;
    case Reach::answers:
      break;
  }
  if (!why_.empty()) return why_;
  around_.word_is_bad = false;
  if (!new_manager_) return {};
  const auto ago = std::chrono::duration<double>(Clock::now() - replaced_at_);
  if (ago > news_last) {
    new_manager_.reset();
    return {};
  }
  return fmt::format("a new manager has taken over {} ago (pid {})", format_age(std::floor(ago.count())),
                     *new_manager_);
}

void TopSession::read_output() {
  const auto plan = top::plan_rows(size_, model_.all().size(), around_.troubles.size());
  const top::Entry* entry = model_.selected();
  output_.read(context_->layout, entry != nullptr ? entry->view.log : std::string(), plan.output);
  around_.output = output_.lines();
}

void TopSession::draw() {
  size_ = top::Screen::size();
  const auto plan = top::plan_rows(size_, model_.all().size(), around_.troubles.size());
  controls_.resize(size_.width, plan.jobs, plan.pane);
  around_.word = manager_word();
  if (!plan.too_small && controls_.pane() == nullptr) read_output();
  screen_->draw(top::compose(model_, controls_, around_, size_, screen_->charset()));
}

void TopSession::take_keys(short events) {
  bool any = false;
  while (auto key = top::Screen::key()) {
    any = true;
    if (const auto request = controls_.press(*key)) act(*request);
    if (leaving_) return;
  }
  int there = 0;
  // A terminal that is gone can be read, and has nothing.
  const bool gone = ::ioctl(STDIN_FILENO, FIONREAD, &there) != 0 || (events & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  if (!any && gone) leaving_ = true;
}

void TopSession::take_signals() {
  while (const auto taken = signals_->take()) {
    switch (taken->signal) {
      case SIGWINCH:
        break;  // draw() asks for the size
      case SIGTSTP:
        suspend();
        break;
      case SIGCONT:
        // Whoever had the terminal meanwhile has set it otherwise.
        top::Screen::come_back();
        break;
      default:
        leaving_ = true;
    }
  }
}

void TopSession::suspend() {
  top::Screen::leave();
  stop_here();
  top::Screen::come_back();
}

void TopSession::take_news() {
  for (auto& news : feed_->take()) {
    reach_ = news.reach;
    why_ = std::move(news.why);
    if (news.all) model_.replace(std::move(*news.all));
    model_.update(std::move(news.changed));
    model_.remove(news.gone);
    if (news.troubles) around_.troubles = std::move(*news.troubles);
    if (news.replaced) {
      new_manager_ = news.replaced;
      replaced_at_ = Clock::now();
    }
    const auto* pane = controls_.pane();
    if (pane != nullptr && pane->source() && news.touched.contains(pane->source()->names.front())) {
      show_text(*pane->source());
    }
  }
  model_.arrange();
}

void TopSession::act(const top::Request& request) {
  switch (request.action) {
    case Action::leave:
      leaving_ = true;
      return;
    case Action::redraw:
      top::Screen::redraw_all();
      return;
    case Action::attach:
      in_front({"attach", request.names.front()}, false);
      return;
    case Action::log:
      in_front({"log", "-n", "10000", exactly(request.names.front())}, log_fits(request.names.front()));
      return;
    case Action::restart:
    case Action::stop:
    case Action::start:
      operate(request);
      return;
    case Action::why:
    case Action::events: {
      top::Pane pane(request, std::string(verb_of(request.action)) + " " + request.names.front());
      pane.set_text("…");
      if (request.action == Action::events) pane.go_last();
      controls_.show_pane(std::move(pane));
      show_text(request);
      return;
    }
  }
}

void TopSession::operate(const top::Request& request) {
  const std::string verb(verb_of(request.action));
  const std::size_t count = request.names.size();
  controls_.say(fmt::format("{} {} …", verb, count == 1 ? request.names.front() : fmt::format("{} jobs", count)),
                false);
  std::vector<std::string> words = {verb};
  if (request.action == Action::start) {
    // It takes one word.
    for (const auto& name : request.names) tasks_.add({request.action, {name}}, {verb, exactly(name)});
    return;
  }
  for (const auto& name : request.names) words.push_back(exactly(name));
  tasks_.add(request, std::move(words));
}

void TopSession::show_text(const top::Request& request) {
  tasks_.add(request, {"--color", "never", std::string(verb_of(request.action)), exactly(request.names.front())});
}

void TopSession::take_tasks() {
  for (const auto& end : tasks_.take()) told(end);
}

void TopSession::told(const TaskEnd& end) {
  const bool bad = end.status != 0;
  if (end.request.action == Action::why || end.request.action == Action::events) {
    auto* pane = controls_.pane();
    const bool asked = pane != nullptr && pane->source() && pane->source()->action == end.request.action &&
                       pane->source()->names == end.request.names;
    if (asked) pane->set_text(bad && !end.err.empty() ? end.err : end.out);
    return;
  }
  // Of several that failed the first is told, with how many lines there are.
  const auto lines = bad ? split(trim(end.err), '\n').size() : 0;
  std::string text = without_own_name(bad && !end.err.empty() ? first_line(end.err) : last_line(end.out));
  if (text.empty()) text = fmt::format("usvc {} ended with status {}", verb_of(end.request.action), end.status);
  if (lines > 1) text += fmt::format(" (and {} lines more: w, l and e tell)", lines - 1);
  controls_.say(std::move(text), bad);
}

bool TopSession::log_fits(const std::string& name) {
  const auto& jobs = model_.all();
  const auto entry = jobs.find(name);
  if (entry == jobs.end()) return true;
  OutputTail tail;
  tail.read(context_->layout, entry->second.view.log, size_.height);
  std::size_t rows = 1;
  for (const auto& line : tail.lines()) rows += 1 + display_width(line) / std::max<std::size_t>(size_.width, 1);
  return rows <= size_.height;
}

void TopSession::in_front(const std::vector<std::string>& words, bool always_wait) {
  top::Screen::leave();
  SpawnOptions options;
  options.own_session = false;
  options.env = usvc_environment();
  auto child = spawn_program(usvc_words(*context_, words), {}, options);
  int status = 0;
  if (child) {
    wait_for_child(*child, status);
  } else {
    complain(child.error().message());
    status = 1;
  }
  if (!leaving_ && (status != 0 || always_wait)) {
    wait_for_key(status != 0 ? fmt::format("usvc {} ended with status {}", words.front(), status) : "");
  }
  top::Screen::come_back();
}

void TopSession::wait_for_child(const ChildProgram& child, int& status) {
  for (;;) {
    std::array<pollfd, 2> fds = {pollfd{child.pidfd.get(), POLLIN, 0}, pollfd{signals_->fd().get(), POLLIN, 0}};
    (void)::poll(fds.data(), fds.size(), -1);
    while (const auto taken = signals_->take()) {
      if (taken->signal == SIGTSTP) {
        // It has stopped by the same key; whoever started us is to notice.
        stop_here();
      }
      // Ctrl-C and the like are for it; the others mean us as well.
      if (taken->signal == SIGTERM || taken->signal == SIGHUP) {
        leaving_ = true;
        (void)::kill(child.pid, taken->signal);
      }
    }
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG) != 0) return;
    if (info.si_pid == 0) continue;
    status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
    return;
  }
}

void TopSession::wait_for_key(const std::string& why) {
  const std::string text = (why.empty() ? "" : why + "; ") + "press a key to go back to usvc top ";
  (void)print("\n" + text);
  top::Screen::keys_at_once();
  std::array<pollfd, 2> fds = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_->fd().get(), POLLIN, 0}};
  (void)::poll(fds.data(), fds.size(), -1);
  std::array<char, 64> keys;
  if ((fds[0].revents & POLLIN) != 0) (void)!::read(STDIN_FILENO, keys.data(), keys.size());
}

}  // namespace usvc
