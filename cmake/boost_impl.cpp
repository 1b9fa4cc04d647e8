// The bodies of Asio and Beast, compiled once: see usvc_boost_impl in libraries.cmake.
//
// Beast 1.81 asserts that at least five bytes are there when it looks at a last chunk again ("0\r\n" and what follows).
// A client that sends them one by one gives it four, and ends whoever serves it. The code behind that assertion holds
// for fewer, so this one is passed over; all others end the process as ever.
#define BOOST_ENABLE_ASSERT_HANDLER
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace boost {

void assertion_failed(const char* expression, const char* function, const char* file, long line) {
  if (std::string_view(expression) == "n >= 5" && std::string_view(file).ends_with("/basic_parser.ipp")) return;
  std::fprintf(stderr, "%s:%ld: %s: assertion failed: %s\n", file, line, function, expression);
  std::abort();
}

void assertion_failed_msg(const char* expression, const char* message, const char* function, const char* file,
                          long line) {
  std::fprintf(stderr, "%s:%ld: %s: assertion failed: %s (%s)\n", file, line, function, expression, message);
  std::abort();
}

}  // namespace boost
