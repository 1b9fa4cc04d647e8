// usvc-manual TEMPLATES OUTPUT: writes the pages of the manual to OUTPUT/manSECTION and the description of the API to
// OUTPUT.json. Run by the build, not installed.
#include <cstdio>
#include <filesystem>
#include <string>

#include "base/files.h"
#include "manual/openapi.h"
#include "manual/pages.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: usvc-manual TEMPLATES OUTPUT\n");
    return 2;
  }
  const std::string output = argv[2];
  const auto pages = usvc::manual_pages(argv[1]);
  if (!pages) {
    std::fprintf(stderr, "usvc-manual: %s\n", pages.error().message().c_str());
    return 1;
  }
  std::error_code error;
  std::filesystem::remove_all(output, error);  // pages of commands that are no more
  for (const auto& page : *pages) {
    const std::string directory = output + "/man" + page.name.substr(page.name.rfind('.') + 1);
    std::filesystem::create_directories(directory, error);
    if (auto written = usvc::write_file_atomically(directory + "/" + page.name, page.text, usvc::Flush::no); !written) {
      std::fprintf(stderr, "usvc-manual: %s\n", written.error().message().c_str());
      return 1;
    }
  }
  const std::string api = usvc::json_text(usvc::openapi_document()) + "\n";
  if (auto written = usvc::write_file_atomically(output + ".json", api, usvc::Flush::no); !written) {
    std::fprintf(stderr, "usvc-manual: %s\n", written.error().message().c_str());
    return 1;
  }
  return 0;
}
