#include "foreign/node.h"

#include <algorithm>

#include "job/options.h"

namespace usvc::foreign {

const Node* Node::find(std::string_view name) const {
  if (kind != Kind::map) return nullptr;
  // Of two with one name the later counts, as in JavaScript.
  const auto found = std::find_if(children.rbegin(), children.rend(), [&](const Node& n) { return n.key == name; });
  return found == children.rend() ? nullptr : &*found;
}

bool Node::is_false() const {
  if (kind == Kind::scalar) return parse_boolean(text) == false;
  return kind == Kind::null || children.empty();
}

}  // namespace usvc::foreign
