#pragma once

namespace usvc {

inline constexpr char version[] = USVC_VERSION;  // from the build, which has it from CMakeLists.txt

}  // namespace usvc
