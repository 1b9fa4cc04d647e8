// Which binary a job was started from: md5 and identity of the file. Hashing is done by a worker; known files at once.
#pragma once

#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <string>
#include <tuple>

#include "manager/asio.h"
#include "shapes/views.h"

namespace usvc {

struct Hashed {
  BinaryView binary;
  std::string md5;  // 32 hex digits; empty when the file can't be read
};

class Hashing {
 public:
  Hashing(asio::io_context& io, asio::thread_pool& workers) : io_(io), workers_(workers) {}

  // Calls back in the loop, perhaps before it returns.
  void hash(const std::string& path, std::function<void(const Hashed&)> done);

 private:
  using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;

  asio::io_context& io_;
  asio::thread_pool& workers_;
  std::map<Key, std::string> known_;
};

}  // namespace usvc
