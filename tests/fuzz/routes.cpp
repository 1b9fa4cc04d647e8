// The API from the bytes of a request to the answer: the HTTP parser with the server's limits, the routes and what they
// do without a keeper, on a home that is made anew whenever a request may have changed it.
#include "api/routes.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <memory>
#include <set>

#include "api/server.h"
#include "fuzz.h"
#include "shapes/requests.h"

namespace {

using namespace usvc;
using fuzz::must;
namespace http = boost::beast::http;

// Two jobs, one of which the journal knows too, and one whose conf is broken.
class Home {
 public:
  Home() {
    auto found = Layout::from(
        scratch_.path() + "/home", [](const char*) -> const char* { return nullptr; }, "/");
    must(found.has_value(), "there is a home");
    layout_ = std::move(*found);
  }
  Instance& instance() {
    if (!instance_) make();
    return *instance_;
  }
  asio::io_context& io() { return *io_; }
  void forget() { instance_.reset(); }

 private:
  static void put(const std::string& path, std::string_view text) {
    must(write_file_atomically(path, text, Flush::no).has_value(), "a file of the home can be written", path);
  }
  void make() {
    must(remove_all(layout_.home).has_value(), "the home can be removed");
    for (const auto* dir : {&layout_.home, &layout_.jobs_dir, &layout_.logs_dir, &layout_.old_logs_dir,
                            &layout_.journal_dir, &layout_.work_dir}) {
      must(ensure_private_dir(*dir).has_value(), "the home can be made");
    }
    put(layout_.lock, "");
    put(layout_.conf_path("web-1"), "[core]\n\tcmd = /bin/sleep\n\targ = 100\n\tgroup = web\n");
    put(layout_.conf_path("web-2"), "[core]\n\tcmd = /bin/sleep\n\targ = \"two words\"\n\ttty = no\n");
    put(layout_.conf_path("bad"), "[core]\n\tcmd = /bin/true\n\tstop-timeout = soon\n");
    put(layout_.log_path("web-1"), "hello\n");
    put(layout_.journal_dir + "/00000001.jsonl",
        "{\"t\":1764000000.5,\"job\":\"web-1\",\"event\":\"wanted\",\"wanted\":true,\"key\":\"k1\"}\n"
        "{\"t\":1764000001,\"job\":\"web-1\",\"run_id\":\"web-1.1.0a1b2c3d\",\"event\":\"starting\",\"log_offset\":0}\n"
        "{\"t\":1764000002,\"job\":\"web-1\",\"event\":\"exited\",\"code\":1,\"ran\":1}\n");
    io_ = std::make_unique<asio::io_context>(1);
    instance_ = std::make_unique<Instance>(*io_, layout_);
    must(instance_->open_offline(true).has_value(), "the home can be opened");
  }

  fuzz::Scratch scratch_;
  Layout layout_;
  std::unique_ptr<asio::io_context> io_;
  std::unique_ptr<Instance> instance_;
};

void must_be_an_answer(const ApiResponse& response) {
  static const std::set<int> known = {200, 400, 404, 405, 500, 503};
  must(known.contains(response.status), "the status is one of those told", std::to_string(response.status));
  must(parse_json(response.body).has_value(), "an answer is JSON", response.body);
  if (response.status == 200) return;
  const auto reply = parse_as<ErrorReply>(response.body);
  must(reply.has_value(), "a failure says so", response.body);
  fuzz::must_be_one_line(error_from(*reply));
}

ApiResponse ask(Home& home, std::string method, std::string_view target, std::string body, bool websocket) {
  ApiResponse response;
  auto request = parse_target(std::move(method), target);
  if (!request) {
    fuzz::must_be_one_line(request.error());
    must(request.error().kind() == ErrorKind::usage, "a bad address is the client's fault");
    response.status = 400;
    response.body = to_json_text(error_reply(request.error()));
    return response;
  }
  request->body = std::move(body);
  request->websocket = websocket;
  const bool reads = request->method == "GET";
  Instance& instance = home.instance();
  bool answered = false;
  const auto run = [](Instance* on, ApiRequest asked, ApiResponse* out, bool* done) -> asio::awaitable<void> {
    *out = co_await answer(on, std::move(asked));
    *done = true;
  };
  asio::co_spawn(home.io(), run(&instance, std::move(*request), &response, &answered),
                 [](const std::exception_ptr& thrown) {
                   if (thrown) std::rethrow_exception(thrown);
                 });
  home.io().restart();
  home.io().run();
  must(answered, "every request is answered");
  if (!reads) home.forget();
  return response;
}

// As the bytes come in: in parts of that size.
bool parse(http::request_parser<http::string_body>& parser, std::string_view bytes, std::size_t part) {
  parser.header_limit(most_header);
  parser.body_limit(most_body);
  parser.eager(true);
  boost::beast::flat_buffer buffer;
  boost::system::error_code error;
  while (!parser.is_done()) {
    const auto next = bytes.substr(0, part);
    bytes.remove_prefix(next.size());
    const auto room = buffer.prepare(next.size());
    std::copy(next.begin(), next.end(), static_cast<char*>(room.data()));
    buffer.commit(next.size());
    const std::size_t used = parser.put(buffer.data(), error);
    buffer.consume(used);
    if (error == http::error::need_more) error = {};
    if (error) return false;
    if (next.empty() && used == 0) {
      if (!parser.got_some()) return false;
      parser.put_eof(error);
      return !error && parser.is_done();
    }
  }
  return true;
}

}  // namespace

// The first byte says in how large parts the request arrives.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Home home;
  if (size == 0) return 0;
  http::request_parser<http::string_body> parser;
  if (!parse(parser, fuzz::text_of(data, size).substr(1), std::size_t{1} + data[0])) return 0;
  auto request = parser.release();
  const std::string target(request.target());
  const bool websocket = boost::beast::websocket::is_upgrade(request);
  must_be_an_answer(ask(home, std::string(request.method_string()), target, std::move(request.body()), websocket));
  return 0;
}
