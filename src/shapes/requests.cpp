#include "shapes/requests.h"

#include <string_view>

namespace usvc {

namespace {

struct KindName {
  ErrorKind kind;
  std::string_view name;
};
constexpr KindName kind_names[] = {
    {ErrorKind::failure, "failure"},
    {ErrorKind::usage, "usage"},
    {ErrorKind::no_match, "no-match"},
    {ErrorKind::unreachable, "unreachable"},
};

}  // namespace

ErrorReply error_reply(const Error& error) {
  ErrorReply reply;
  reply.error.message = error.bare_message();
  reply.error.hint = error.hint();
  for (const auto& row : kind_names) {
    if (row.kind == error.kind()) reply.error.kind = row.name;
  }
  return reply;
}

Error error_from(const ErrorReply& reply) {
  Error error(reply.error.message);
  for (const auto& row : kind_names) {
    if (row.name == reply.error.kind) error = std::move(error).as(row.kind);
  }
  return std::move(error).hint(reply.error.hint);
}

}  // namespace usvc
