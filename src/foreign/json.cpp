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
  bool on_object_begin(error_code&) { return open(Node::Kind::map); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_array_begin(error_code&) { return open(Node::Kind::list); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(string_view part, std::size_t, error_code&) { return append(part); }
  bool on_key(string_view part, std::size_t, error_code&) {
    append(part);
    key_ = std::exchange(text_, {});
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) { return append(part); }
  bool on_string(string_view part, std::size_t, error_code&) { return scalar(part); }
  bool on_number_part(string_view part, error_code&) { return append(part); }
  bool on_int64(std::int64_t, string_view part, error_code&) { return scalar(part); }
  bool on_uint64(std::uint64_t, string_view part, error_code&) { return scalar(part); }
  bool on_double(double, string_view part, error_code&) { return scalar(part); }
  bool on_bool(bool value, error_code&) { return scalar(value ? "true" : "false"); }
  bool on_null(error_code&) {
    put(Node::Kind::null);
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  bool append(string_view part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool scalar(string_view part) {
    append(part);
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
  bool open(Node::Kind kind) {
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
    return fail(Error(file + ":" + std::to_string(parser.handler().line) + ": this is no JSON: " + why.message()));
  }
  return std::move(parser.handler().root);
}

}  // namespace usvc::foreign
