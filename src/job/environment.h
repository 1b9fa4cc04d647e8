// A job's environment: what its caller had, and what was asked for with it, which `save` keeps. As a list of "K=V", and
// as the text of its file: an empty entry stands between the two, if anything was asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace usvc {

// Sets "K=V" in place of an earlier K.
void set_variable(std::vector<std::string>& environment, const std::string& assignment);
// Of two of the caller's or of one's own the later counts, of one of each its own: for every program the same.
std::vector<std::string> environment_from(std::vector<std::string> callers, const std::vector<std::string>& own);

std::string environment_text(const std::vector<std::string>& environment);
std::vector<std::string> variables_in(std::string_view text);
std::vector<std::string> own_variables_in(std::string_view text);

}  // namespace usvc
