// Lines that overwrite themselves, as progress bars do: what a terminal shows of them in the end.
#pragma once

#include <string>
#include <string_view>

namespace usvc {

// What is to be seen of a line when all of it has been written, on a terminal wide enough for it: carriage return,
// backspace, moves within the line and erasing are done, colours stay. Its other control sequences are gone where
// there was something to be done, and still to be tamed where not.
std::string last_state(std::string_view line);

}  // namespace usvc
