// Descriptors 0, 1 and 2.
#pragma once

namespace usvc {

// Opens what is closed of them so that using it fails as it would have (EBADF): else the next file or socket that is
// opened would be taken for it. For the very beginning of a program.
void occupy_standard_fds();

}  // namespace usvc
