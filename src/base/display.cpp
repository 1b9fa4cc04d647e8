#include "base/display.h"

#include <algorithm>
#include <span>

#include "base/text.h"

namespace usvc {

namespace {

struct CharRange {
  char32_t first;
  char32_t last;
};

// What takes two columns: East Asian wide and full-width characters and most emoji.
constexpr CharRange wide_ranges[] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
    {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};
// What is drawn over the character before it.
constexpr CharRange zero_ranges[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x064b, 0x065f}, {0x200b, 0x200f},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};

bool within(std::span<const CharRange> ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const CharRange& range) { return c >= range.first && c <= range.last; });
}

std::size_t columns_of(char32_t c) {
  if (c < 0x300) return 1;
  if (within(zero_ranges, c)) return 0;
  return within(wide_ranges, c) ? 2 : 1;
}

}  // namespace

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {1, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
  if (length == 0 || lead > 0xf4 || text.size() < length) return {1, 1};
  auto c = static_cast<char32_t>(lead & (0x7fU >> length));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {1, 1};
    c = (c << 6U) | (byte(i) & 0x3fU);
  }
  return {length, columns_of(c)};
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    columns += character.columns;
    text.remove_prefix(character.bytes);
  }
  return columns;
}

std::string_view cut_to(std::string_view text, std::size_t columns) {
  std::size_t end = 0;
  while (end < text.size()) {
    const Character character = first_character(text.substr(end));
    if (character.columns > columns) break;
    columns -= character.columns;
    end += character.bytes;
  }
  return text.substr(0, end);
}

ControlSequence first_sequence(std::string_view text) {
  if (text.size() < 2) return {text.size(), false};
  if (text[1] == '[') {
    const std::size_t end = text.find_first_not_of("0123456789;:?<=>! \"#$%&'()*+,-./", 2);
    if (end == std::string_view::npos) return {text.size(), false};
    const bool parameters_only = text.substr(2, end - 2).find_first_not_of("0123456789;:") == std::string_view::npos;
    return {end + 1, text[end] == 'm' && parameters_only};
  }
  // OSC, DCS, SOS, PM, APC: up to BEL or ESC backslash.
  if (std::string_view("]PX^_").find(text[1]) != std::string_view::npos) {
    for (std::size_t i = 2; i < text.size(); ++i) {
      if (text[i] == '\a') return {i + 1, false};
      if (text[i] == '\x1b' && i + 1 < text.size() && text[i + 1] == '\\') return {i + 2, false};
    }
    return {text.size(), false};
  }
  const bool charset = std::string_view("()*+-./ #%").find(text[1]) != std::string_view::npos;
  return {std::min<std::size_t>(charset ? 3 : 2, text.size()), false};
}

std::string tame(std::string_view line, bool colors) {
  std::string out;
  out.reserve(line.size());
  bool colored = false;
  for (std::size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (c == '\x1b') {
      const ControlSequence sequence = first_sequence(line.substr(i));
      if (sequence.color && colors) out.append(line.substr(i, sequence.length));
      colored = colored || (sequence.color && colors);
      i += sequence.length;
      continue;
    }
    ++i;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\t') || byte == 0x7f) continue;
    // U+0080 to U+009f are control characters too; in UTF-8 they are 0xc2 and such a byte. Asked of what is put out,
    // where two bytes stand side by side that had something between them.
    if (byte >= 0x80 && byte < 0xa0 && out.ends_with('\xc2')) {
      out.pop_back();
      continue;
    }
    out += c;
  }
  if (colored) out += "\x1b[0m";
  return out;
}

std::string plain_text(std::string_view line) {
  constexpr std::size_t tab = 8;
  while (line.ends_with('\r')) line.remove_suffix(1);
  if (const auto begin = line.rfind('\r'); begin != std::string_view::npos) line.remove_prefix(begin + 1);
  std::string out;
  std::size_t column = 0;
  bool first = true;
  const std::string tamed = tame(line, false);
  for (const auto part : split(tamed, '\t')) {
    const std::size_t spaces = first ? 0 : tab - column % tab;
    first = false;
    const std::string text = printable(part);
    out.append(spaces, ' ').append(text);
    column += spaces + display_width(text);
  }
  return out;
}

}  // namespace usvc
