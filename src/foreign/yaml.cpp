#include <yaml.h>

#include <memory>
#include <set>

#include "base/text.h"
#include "foreign/node.h"

namespace usvc::foreign {

namespace {

struct DeleteParser {
  void operator()(yaml_parser_t* parser) const { yaml_parser_delete(parser); }
};
struct DeleteDocument {
  void operator()(yaml_document_t* document) const { yaml_document_delete(document); }
};

int line_of(const yaml_mark_t& mark) {
  return static_cast<int>(mark.line) + 1;
}

bool is_null(const yaml_node_t& node, std::string_view text) {
  if (node.data.scalar.style != YAML_PLAIN_SCALAR_STYLE) return false;
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

class YamlTree {
 public:
  YamlTree(yaml_document_t* document, const std::string& file) : document_(document), file_(&file) {}

  // Aliases are followed, so what is short in the file can be long, or without end, as a tree: what is copied counts.
  Result<Node> tree(int id, int depth) {
    const yaml_node_t* node = yaml_document_get_node(document_, id);
    if (node == nullptr) return Node{};
    const int line = line_of(node->start_mark);
    if (depth > deepest_node || !size_.add(1, length_of(*node))) return fail(too_much(line));
    Node out;
    out.line = line;
    if (node->type == YAML_SEQUENCE_NODE) return list(*node, std::move(out), depth);
    if (node->type == YAML_MAPPING_NODE) return map(*node, std::move(out), depth);
    out.text = text_of(*node);
    out.kind = is_null(*node, out.text) ? Node::Kind::null : Node::Kind::scalar;
    return out;
  }

 private:
  [[nodiscard]] std::string too_much(int line) const {
    return *file_ + ":" + std::to_string(line) + ": " + std::string(too_large);
  }

  static std::size_t length_of(const yaml_node_t& node) {
    return node.type == YAML_SCALAR_NODE ? node.data.scalar.length : 0;
  }
  static std::string text_of(const yaml_node_t& node) {
    if (node.type != YAML_SCALAR_NODE) return {};
    return {reinterpret_cast<const char*>(node.data.scalar.value), node.data.scalar.length};
  }

  Result<Node> list(const yaml_node_t& node, Node out, int depth) {
    out.kind = Node::Kind::list;
    for (const auto* item = node.data.sequence.items.start; item != node.data.sequence.items.top; ++item) {
      auto child = tree(*item, depth + 1);
      if (!child) return child;
      out.children.push_back(std::move(*child));
    }
    return out;
  }

  Result<Node> map(const yaml_node_t& node, Node out, int depth) {
    out.kind = Node::Kind::map;
    std::vector<Node> merged;
    for (const auto* pair = node.data.mapping.pairs.start; pair != node.data.mapping.pairs.top; ++pair) {
      const yaml_node_t* key = yaml_document_get_node(document_, pair->key);
      if (key != nullptr && !size_.add(0, length_of(*key))) return fail(too_much(line_of(key->start_mark)));
      auto child = tree(pair->value, depth + 1);
      if (!child) return child;
      child->key = key == nullptr ? "" : text_of(*key);
      if (key != nullptr) child->line = line_of(key->start_mark);
      (child->key == "<<" ? merged : out.children).push_back(std::move(*child));
    }
    if (merged.empty()) return out;
    std::set<std::string> keys;
    for (const auto& child : out.children) keys.insert(child.key);
    for (auto& source : merged) merge(out, std::move(source), keys);
    return out;
  }

  // What the map says itself goes before what it has from elsewhere.
  static void merge(Node& into, Node source, std::set<std::string>& keys) {
    if (source.kind == Node::Kind::list) {
      for (auto& one : source.children) merge(into, std::move(one), keys);
      return;
    }
    for (auto& child : source.children) {
      if (keys.insert(child.key).second) into.children.push_back(std::move(child));
    }
  }

  yaml_document_t* document_;
  const std::string* file_;
  TreeSize size_;
};

Status load(yaml_parser_t& parser, yaml_document_t& document, const std::string& file) {
  if (yaml_parser_load(&parser, &document) != 0) return {};
  const std::string why = parser.problem == nullptr ? "it cannot be read" : parser.problem;
  return fail(file + ":" + std::to_string(line_of(parser.problem_mark)) + ": this is no YAML: " + printable(why));
}

// A second document would be passed over in silence.
Status expect_end(yaml_parser_t& parser, const std::string& file) {
  yaml_document_t document;
  if (auto loaded = load(parser, document, file); !loaded) return loaded;
  const std::unique_ptr<yaml_document_t, DeleteDocument> document_owner(&document);
  const yaml_node_t* root = yaml_document_get_root_node(&document);
  if (root == nullptr) return {};
  return fail(file + ":" + std::to_string(line_of(root->start_mark)) +
              ": a second document begins (load it by itself)");
}

}  // namespace

Result<Node> read_yaml(std::string_view text, const std::string& file) {
  yaml_parser_t parser;
  if (yaml_parser_initialize(&parser) == 0) return fail(Error::from_errno(ENOMEM, file));
  const std::unique_ptr<yaml_parser_t, DeleteParser> parser_owner(&parser);
  yaml_parser_set_input_string(&parser, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  yaml_document_t document;
  if (auto loaded = load(parser, document, file); !loaded) return pass(loaded);
  const std::unique_ptr<yaml_document_t, DeleteDocument> document_owner(&document);
  if (auto ended = expect_end(parser, file); !ended) return pass(ended);
  if (yaml_document_get_root_node(&document) == nullptr) return Node{};
  return YamlTree(&document, file).tree(1, 0);
}

}  // namespace usvc::foreign
