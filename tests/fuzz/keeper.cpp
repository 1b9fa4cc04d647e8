// A whole keeper that hears any sequence of messages: it goes on to the end, answers by the protocol and leaves neither
// a descriptor nor a process behind. Its children wait for a word that never comes, so none becomes a program.
#include "keeper/keeper.h"

#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>
#include <utility>
#include <vector>

#include "base/memory.h"
#include "base/message.h"
#include "fuzz.h"
#include "keeper/card.h"

namespace {

using namespace usvc;
using namespace usvc::keeper;
using fuzz::must;

constexpr std::size_t most_messages = 24;

// The keeper complains on stderr, thousands of times a second; reports go where it was, also those at the very end.
class Quiet {
 public:
  Quiet() : report_(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100)), nothing_(*open_file("/dev/null", O_RDWR)) {
    __sanitizer_set_report_fd(reinterpret_cast<void*>(static_cast<std::intptr_t>(report_)));  // NOLINT
  }
  void begin() const { (void)::dup2(nothing_.get(), STDERR_FILENO); }
  void end() const { (void)::dup2(report_, STDERR_FILENO); }

 private:
  int report_;
  Fd nothing_;
};

Fd sound_card() {
  CardSpec spec;
  spec.path = "/bin/true";
  spec.argv = {"true"};
  spec.cwd = "/";
  return std::move(*make_card(spec));
}

int lowest_free_descriptor() {
  const Fd probe(::fcntl(0, F_DUPFD_CLOEXEC, 3));
  return probe.get();
}

// What a message can carry: a pipe's ends, a card, and a status socket whose other end is closed.
struct Cargo {
  Cargo() {
    std::array<int, 2> ends{};
    must(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0, "a pipe can be made");
    read = Fd(ends[0]);
    write = Fd(ends[1]);
    status = std::move(make_socket_pair(SOCK_STREAM)->theirs);
    card = sound_card();
  }
  [[nodiscard]] int for_role(Role role) const {
    if (role == Role::card) return card.get();
    if (role == Role::status) return status.get();
    return role == Role::output || role == Role::carry_read ? read.get() : write.get();
  }
  Fd read;
  Fd write;
  Fd status;
  Fd card;
};

// One byte each for the kind, the id, the flags and the number of descriptors; one more for each role.
class Script {
 public:
  explicit Script(std::string_view text) : rest_(text) {}
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  unsigned byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<unsigned char>(rest_[0]);
    rest_.remove_prefix(1);
    return value;
  }
  Message message(bool may_spawn) {
    Message message;
    const unsigned kind = byte();
    message.kind = static_cast<Kind>(kind);
    if (message.kind == Kind::quit || (message.kind == Kind::spawn && !may_spawn)) message.kind = Kind::drop;
    const unsigned id = byte();
    set_id(message, id == 0 ? "usvc:manager" : id == 1 ? carry_item : "web-" + std::to_string(id % 4) + ".1.0a1b2c3d");
    message.flags = byte();
    message.token = message.flags;
    // A pid is a claim; only one that is nobody's may be made here.
    if ((message.flags & 8U) != 0) message.pid = 0x7fff'fff0;
    message.fd_count = byte() % 20;
    for (std::size_t i = 0; i < std::min<std::size_t>(message.fd_count, message.roles.size()); ++i) {
      message.roles.at(i) = static_cast<Role>(byte());
    }
    if (kind == 255) message.version = 0;
    return message;
  }

 private:
  std::string_view rest_;
};

void send_all(FdRef socket, std::string_view text, const Cargo& cargo) {
  Script script(text);
  int spawns = 0;
  for (std::size_t count = 0; count < most_messages && !script.at_end(); ++count) {
    const Message message = script.message(spawns < 2);
    if (message.kind == Kind::spawn) ++spawns;
    std::vector<int> fds;
    for (std::size_t i = 0; i < std::min<std::size_t>(message.fd_count, message.roles.size()); ++i) {
      fds.push_back(cargo.for_role(message.roles.at(i)));
    }
    // Some messages are too short.
    const auto bytes = bytes_of(message);
    must(send_message(socket, (message.flags & 16U) != 0 ? bytes.first(bytes.size() - 1) : bytes, fds).has_value(),
         "there is room for a few messages");
  }
  Message quit;
  quit.kind = Kind::quit;
  must(send_message(socket, bytes_of(quit), {}).has_value(), "the last word can be said");
}

// What it says, to the end; its children have nobody to wait for and have ended or are about to.
void hear_all(FdRef socket) {
  for (;;) {
    alignas(Message) std::array<std::byte, sizeof(Message)> buffer{};
    auto received = receive_message(socket, buffer);
    if (!received || received->size == 0) return;
    auto checked = check(std::span(buffer).first(received->size), std::move(received->fds));
    must(checked.has_value(), "the keeper keeps to the protocol", checked ? "" : checked.error().message());
    must(checked->message.kind >= Kind::item, "the keeper speaks as one");
    // One that was dropped meanwhile has been reaped by the keeper.
    if (checked->message.kind == Kind::spawned) (void)::waitpid(checked->message.pid, nullptr, 0);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Quiet quiet;
  const int before = lowest_free_descriptor();
  {
    auto pair = make_socket_pair(SOCK_SEQPACKET);
    const Cargo cargo;
    must(pair.has_value(), "a socket pair can be made");
    send_all(pair->ours, fuzz::text_of(data, size), cargo);
    Options options;
    auto no_program = open_file("/dev/null", O_PATH);
    must(no_program.has_value(), "what can't be executed can be opened");
    options.manager_program = std::move(*no_program);
    options.adopted = std::move(pair->theirs);
    struct sigaction clock {};  // libFuzzer's, which the keeper ignores like any other signal
    must(::sigaction(SIGALRM, nullptr, &clock) == 0, "the clock can be looked at");
    quiet.begin();
    {
      auto keeper = Keeper::create(std::move(options));
      must(keeper.has_value(), "a keeper can be made");
      must(::sigaction(SIGALRM, &clock, nullptr) == 0, "the clock can be set going again");
      must((*keeper)->run() == 0, "the keeper ends when it is told to");
    }
    quiet.end();
    hear_all(pair->ours);
  }
  must(lowest_free_descriptor() == before, "every descriptor is closed");
  return 0;
}
