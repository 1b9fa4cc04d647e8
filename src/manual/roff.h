// Text as man(7) wants it.
#pragma once

#include <string>
#include <string_view>

namespace usvc {

// Words of ours inside a line: nothing in them is taken for a request or an escape, a dash stays a dash.
std::string roff_text(std::string_view text);
// Whole lines: each is kept from being taken for a request.
std::string roff_lines(std::string_view lines);
// \fBbold\fR and \fIitalic\fR of text that is escaped here.
std::string roff_bold(std::string_view text);
std::string roff_italic(std::string_view text);
// An item of a list: a tag, which is roff already, and the text that explains it, which is not.
std::string roff_item(std::string_view tag, std::string_view text);

}  // namespace usvc
