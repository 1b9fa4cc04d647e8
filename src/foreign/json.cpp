#include <boost/json/basic_parser_impl.hpp>
#include <limits>

#include "base/text.h"
#include "foreign/node.h"

namespace usvc::foreign {

namespace {

using boost::json::error_code;
using boost::json::string_view;

// Puts the tree together as the parser reads on. Boost's own values do not know where they stood.
class JsonHandler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  int line = 1;
  Node root;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& why) { return open(Node::Kind::map, why); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_array_begin(error_code& why) { return open(Node::Kind::list, why); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(string_view part, std::size_t, error_code& why) { return append(part, why); }
  bool on_key(string_view part, std::size_t, error_code& why) {
    if (!append(part, why)) return false;
    key_ = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code& why) { return append(part, why); }
  bool on_string(string_view part, std::size_t, error_code& why) { return scalar(part, why); }
  bool on_number_part(string_view part, error_code& why) { return append(part, why); }
  bool on_int64(std::int64_t, string_view part, error_code& why) { return scalar(part, why); }
  bool on_uint64(std::uint64_t, string_view part, error_code& why) { return scalar(part, why); }
  bool on_double(double, string_view part, error_code& why) { return scalar(part, why); }
  bool on_bool(bool value, error_code& why) { return scalar(value ? "true" : "false", why); }
  bool on_null(error_code& why) {
    if (!counted(1, 0, why)) return false;
    put(Node::Kind::null);
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  // What is too large is none of the parser's errors; its own for arrays can't come about.
  bool counted(std::size_t nodes, std::size_t bytes, error_code& why) {
    if (size_.add(nodes, bytes)) return true;
    why = boost::json::error::array_too_large;
    return false;
  }
  bool append(string_view part, error_code& why) {
    if (!counted(0, part.size(), why)) return false;
    text_.append(part.data(), part.size());
    return true;
  }
  bool scalar(string_view part, error_code& why) {
    if (!counted(1, 0, why) || !append(part, why)) return false;
    put(Node::Kind::scalar).text = std::exchange(text_, {});
    return true;
  }
  Node& put(Node::Kind kind) {
    Node* place = &root;
    if (!open_.empty()) place = &open_.back().children.emplace_back();
    place->kind = kind;
    place->line = line;
    place->key = std::exchange(key_, {});
    return *place;
  }
  bool open(Node::Kind kind, error_code& why) {
    if (!counted(1, 0, why)) return false;
    Node node;
    node.kind = kind;
    node.line = line;
    node.key = std::exchange(key_, {});
    open_.push_back(std::move(node));
    return true;
  }
  bool close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    (open_.empty() ? root : open_.back().children.emplace_back()) = std::move(node);
    return true;
  }

  std::vector<Node> open_;
  std::string key_;
  std::string text_;
  TreeSize size_;
};

}  // namespace

Result<Node> read_json(std::string_view text, const std::string& file) {
  boost::json::parse_options options;
  options.max_depth = deepest_node;
  options.allow_comments = true;
  options.allow_trailing_commas = true;
  boost::json::basic_parser<JsonHandler> parser(options);
  error_code why;
  // A line at a time, so that the handler knows the line; its end is not told apart from white space.
  while (!why) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end == std::string_view::npos ? end : end + 1);
    const bool last = line.size() == text.size();
    const auto read = parser.write_some(!last, line.data(), line.size(), why);
    if (!why && read < line.size() && !trim(line.substr(read)).empty()) why = boost::json::error::extra_data;
    text.remove_prefix(line.size());
    if (last) break;
    if (!why) ++parser.handler().line;
  }
  if (why) {
    const bool large = why == boost::json::error::too_deep || why == boost::json::error::array_too_large;
    const std::string what = large ? std::string(too_large) : "this is no JSON: " + why.message();
    return fail(Error(file + ":" + std::to_string(parser.handler().line) + ": " + what));
  }
  return std::move(parser.handler().root);
}

}  // namespace usvc::foreign
