// A line taken apart into words as a shell does: white space, single and double quotes, backslash, # for a comment.
// Nothing is expanded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace usvc {

struct ShellWords {
  std::vector<std::string> words;  // without their quotes
  std::size_t last_begin = 0;      // where the word begins that the text ends in; its length when it ends in none
  bool in_word = false;            // whether it ends in one
  bool in_comment = false;
  bool open = false;  // a quote was not closed, or the last character is a backslash: the next line belongs to it
};

ShellWords split_shell_words(std::string_view text);

// The word with a backslash before whatever a shell would not take as it is. Unlike quotes it can be typed on.
std::string shell_escape(std::string_view word);

}  // namespace usvc
