#include "manager/alerts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "base/files.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/text.h"
#include "base/time.h"
#include "job/exit_status.h"
#include "manager/readable.h"

namespace usvc {

namespace {

constexpr auto time_limit = std::chrono::seconds(30);

bool is_url(std::string_view who) {
  return who.starts_with("http://") || who.starts_with("https://");
}

bool is_mail_address(std::string_view who) {
  const auto at = who.find('@');
  return at != std::string_view::npos && at > 0 && who.find_first_of(" /\t\n") == std::string_view::npos;
}

std::string subject(const AlertFacts& facts) {
  return "[" + facts.host + "] " + facts.job + ": " + facts.text;
}

std::string mail(const std::string& who, const AlertFacts& facts) {
  std::string text = "To: " + who + "\nSubject: " + printable(subject(facts)) +
                     "\nAuto-Submitted: auto-generated\nContent-Type: text/plain; charset=utf-8\n\n";
  text += fmt::format("job      {}\nhost     {}\nat       {}\nend      {}\ndeaths   {}\nrun      {}\n", facts.job,
                      facts.host, format_time(facts.at), facts.text, facts.deaths, facts.run_id);
  if (facts.held_back > 0) text += fmt::format("held back since the last mail: {}\n", facts.held_back);
  return text + "\nIts last lines:\n\n" + facts.last_lines;
}

std::string quoted_for_curl(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c == '\n' ? ' ' : c;
  }
  return quoted;
}

std::string sendmail_path() {
  for (const char* path : {"/usr/sbin/sendmail", "/usr/lib/sendmail"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return "sendmail";
}

// USVC_RUN marks a job's processes; the helper is none of them, so it is told the run by another name.
std::vector<std::string> fact_environment(const AlertFacts& facts) {
  return {
      "USVC_JOB=" + facts.job,
      "USVC_GROUP=" + facts.group,
      "USVC_HOST=" + facts.host,
      "USVC_RUN_ID=" + facts.run_id,
      "USVC_TEXT=" + facts.text,
      "USVC_EXIT_CODE=" + (facts.code ? std::to_string(*facts.code) : ""),
      "USVC_SIGNAL=" + facts.signal.value_or(""),
      fmt::format("USVC_RUN_LENGTH={:.3f}", facts.ran),
      "USVC_DEATHS=" + std::to_string(facts.deaths),
      "USVC_HELD_BACK=" + std::to_string(facts.held_back),
  };
}

Result<Fd> input_file(const std::string& text) {
  auto file = make_memory_file("usvc-alert", 0);
  if (!file) return file;
  if (auto status = write_all(*file, text); !status) return pass(status);
  if (::lseek(file->get(), 0, SEEK_SET) != 0) return fail(Error::last("cannot rewind a memory file"));
  return file;
}

Status ended_well(FdRef pidfd) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED) != 0) {
    return fail(Error::last("cannot learn how the alert ended"));
  }
  const ExitStatus status = ExitStatus::from(info);
  if (status.success()) return {};
  return fail(status.describe());
}

}  // namespace

AlertProgram alert_program(const std::string& who, const AlertFacts& facts) {
  if (is_url(who)) {
    return {.args = {"curl", "-sS", "--fail", "--max-time", "25", "-H", "Content-Type: application/json",
                     "--data-binary", "@-", "--config", "/dev/fd/3"},
            .env = {},
            .input = to_json_text(facts),
            .config = "url = \"" + quoted_for_curl(who) + "\"\n"};
  }
  if (is_mail_address(who)) {
    return {.args = {sendmail_path(), "-i", "-t"}, .env = {}, .input = mail(who, facts), .config = {}};
  }
  return {.args = {"/bin/sh", "-c", who}, .env = fact_environment(facts), .input = facts.last_lines, .config = {}};
}

std::string without_secrets(const std::string& who) {
  if (!is_url(who)) return is_mail_address(who) ? who : who.substr(0, who.find_first_of(" \t\n"));
  std::string shown = who.substr(0, who.find_first_of("?#"));
  const auto host = shown.find("//") + 2;
  const auto path = std::min(shown.find('/', host), shown.size());
  if (const auto at = shown.rfind('@', path); at != std::string::npos && at > host) shown.erase(host, at + 1 - host);
  return shown;
}

void Alerts::send(const std::vector<std::string>& recipients, AlertFacts facts, const std::string& cwd,
                  Duration pause) {
  if (recipients.empty()) return;
  Sent& last = last_[facts.job];
  if (last.at > 0 && facts.at < last.at + std::chrono::duration<double>(pause).count()) {
    ++last.held_back;
    return;
  }
  facts.held_back = last.held_back;
  last = {.at = facts.at, .held_back = 0};
  for (const auto& who : recipients) asio::co_spawn(io_, deliver(who, facts, cwd), must_not_throw);
}

asio::awaitable<void> Alerts::deliver(std::string who, AlertFacts facts, std::string cwd) {
  const AlertProgram program = alert_program(who, facts);
  auto input = input_file(program.input);
  auto config = input_file(program.config);
  who = without_secrets(who);
  const auto null = open_file("/dev/null", O_RDWR);
  if (!input || !null)
    co_return told_(facts.job, who, input ? Status(fail(null.error())) : Status(fail(input.error())));
  SpawnOptions options;
  options.env = program.env;
  options.cwd = std::move(cwd);
  std::vector<InheritedFd> fds = {{*input, 0}, {*null, 1}, {*null, 2}};
  if (!program.config.empty()) fds.push_back({*config, 3});
  auto child = spawn_program(program.args, fds, options);
  if (!child) co_return told_(facts.job, who, fail(child.error()));

  sending_.insert(child->pid);
  Fd pidfd = try_duplicate(child->pidfd);
  const auto deadline = std::chrono::steady_clock::now() + time_limit;
  const bool ended = pidfd && co_await readable_until(&io_, std::move(pidfd), deadline);
  if (!ended) {
    (void)::kill(-child->pid, SIGKILL);
    sending_.erase(child->pid);
    (void)ended_well(child->pidfd);
    co_return told_(facts.job, who, fail("gave up after 30 s"));
  }
  sending_.erase(child->pid);
  told_(facts.job, who, ended_well(child->pidfd));
}

void Alerts::stop() {
  for (const pid_t pid : sending_) (void)::kill(-pid, SIGKILL);
}

}  // namespace usvc
