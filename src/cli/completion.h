// What may come next on a command line, from the tables of commands and options and the jobs there are. The shells'
// completions and the console ask here.
#pragma once

#include <boost/describe.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "cli/context.h"

namespace usvc {

struct Candidate {
  std::string word;
  std::string about = {};  // a few words for shells that show them
};
BOOST_DESCRIBE_STRUCT(Candidate, (), (word, about))

struct Candidates {
  std::vector<Candidate> words;  // all begin with what was typed
  // What else may stand there, for the asker to find.
  bool files = false;
  bool directories = false;
  bool programs = false;
};
BOOST_DESCRIBE_STRUCT(Candidates, (), (words, files, directories, programs))

// `words` are those of a command line without the program's name; the last is the one being typed, maybe empty.
// Starts no instance, and does not wait for a manager that is silent.
Candidates complete(const Context& context, const std::vector<std::string>& words);

}  // namespace usvc
