#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "base/message.h"
#include "keeper/protocol.h"

namespace usvc::keeper {
namespace {

Result<Received> pass_through_socket(const Message& message, const std::vector<int>& fds) {
  auto pair = make_socket_pair(SOCK_SEQPACKET);
  EXPECT_TRUE(pair);
  EXPECT_TRUE(send_message(pair->ours, bytes_of(message), fds));
  std::array<std::byte, sizeof(Message)> buffer{};
  auto received = receive_message(pair->theirs, buffer);
  if (!received) return pass(received);
  return check(std::span(buffer).first(received->size), std::move(received->fds));
}

TEST(Protocol, MessageArrivesWithItsDescriptorsByRole) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd read(ends[0]);
  const Fd write(ends[1]);
  Message message;
  message.kind = Kind::hold;
  set_id(message, "web-1.7.0123abcd/pre");
  message.roles = {Role::output, Role::log};
  message.fd_count = 2;
  auto received = pass_through_socket(message, {read.get(), write.get()});
  ASSERT_TRUE(received) << received.error().message();
  EXPECT_EQ(id_of(received->message), "web-1.7.0123abcd/pre");
  ASSERT_EQ(received->fds.size(), 2U);
  EXPECT_EQ(received->fds[1].role, Role::log);
  ASSERT_EQ(::write(received->fds[1].fd.get(), "x", 1), 1);
  char byte = 0;
  EXPECT_EQ(::read(received->fds[0].fd.get(), &byte, 1), 1);
  EXPECT_EQ(::fcntl(received->fds[0].fd.get(), F_GETFD), FD_CLOEXEC);
}

TEST(Protocol, WhatDoesNotKeepToItIsRefused) {
  Message wrong_tag;
  wrong_tag.tag = 1;
  EXPECT_FALSE(pass_through_socket(wrong_tag, {}));
  Message wrong_version;
  wrong_version.version = protocol_version + 1;
  const auto other = pass_through_socket(wrong_version, {});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message().find("version"), std::string::npos);
  Message endless_list;
  endless_list.fd_count = max_message_fds + 1;
  EXPECT_FALSE(pass_through_socket(endless_list, {}));
  Message endless;
  endless.id.fill('x');
  EXPECT_FALSE(pass_through_socket(endless, {}));
  EXPECT_FALSE(check({}, {}));
}

TEST(Protocol, LostDescriptorsAreToldApart) {
  Message lost_fd;
  lost_fd.token = 7;
  lost_fd.fd_count = 1;
  const auto received = pass_through_socket(lost_fd, {});
  ASSERT_TRUE(received);
  EXPECT_TRUE(received->fds_lost);
  EXPECT_EQ(received->message.token, 7U);
}

TEST(Protocol, LongIdsAreCutNotOverrun) {
  Message message;
  set_id(message, std::string(500, 'x'));
  EXPECT_EQ(id_of(message).size(), message.id.size() - 1);
}

}  // namespace
}  // namespace usvc::keeper
