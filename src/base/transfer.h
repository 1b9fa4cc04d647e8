// How a job's output gets from its pipe or terminal into its log so that no kill of the copier loses or doubles a byte.
//
// splice(2) moves pages from pipe to file without a stop in user memory: a byte is in the pipe or in the file, never in
// a buffer that dies with the process. splice refuses a target with O_APPEND, so the end of the file is sought before
// each batch; of keeper and manager only one moves output at a time.
// A terminal can't be spliced into a file, only into a pipe. One carry pipe serves all terminals (beyond 1,024 pipes of
// one user the kernel shrinks new ones, pipe(7)): its owner word, in shared memory, names the run whose bytes are in
// it. The word is written only while the pipe is empty, so it is true whenever the pipe is not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"

namespace usvc {

enum class Moved {
  some,     // `bytes` were moved; there may be more
  nothing,  // no output is waiting
  ended,    // end of file: nobody can write any more (of a terminal: nobody has it open now)
  stuck,    // the log can't take it now (`error`); the bytes wait where they are
};

struct Transfer {
  Moved outcome = Moved::nothing;
  std::size_t bytes = 0;
  int error = 0;
};

// From a non-blocking pipe to a log opened without O_APPEND.
Transfer move_pipe_to_log(FdRef pipe, FdRef log, std::size_t limit);

// A pipe that carries terminals' output, and the word that says whose bytes are in it.
struct Carry {
  Fd read;
  Fd write;
};
Result<Carry> make_carry();
// Bytes waiting in a pipe.
std::size_t pipe_fill(FdRef pipe);

// From a non-blocking terminal master through `carry`, which must be empty or hold bytes of the same terminal.
Transfer move_terminal_to_log(FdRef master, FdRef carry_read, FdRef carry_write, FdRef log, std::size_t limit);

// The same two, but not beyond the first newline: where a log is about to be cut. What is looked at for that is a copy
// (tee(2)); the bytes themselves go the same way.
class LineMover {
 public:
  static Result<LineMover> create();
  Transfer from_pipe(FdRef pipe, FdRef log, std::size_t limit);
  Transfer from_terminal(FdRef master, FdRef carry_read, FdRef carry_write, FdRef log, std::size_t limit);
  // What was moved last ends with a newline.
  [[nodiscard]] bool at_line_end() const { return at_line_end_; }

 private:
  [[nodiscard]] std::size_t line_length(FdRef pipe, std::size_t limit);

  Carry copy_;
  std::string buffer_;
  bool at_line_end_ = false;
};

// The owner word.
class CarryOwner {
 public:
  static constexpr std::size_t max_id = 127;
  static Result<Fd> make_page();
  static Result<CarryOwner> map(FdRef page);
  // Only while the carry pipe is empty.
  void set(std::string_view id);
  [[nodiscard]] std::string get() const;

 private:
  Mapping mapping_;
};

}  // namespace usvc
