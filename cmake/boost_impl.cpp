// The bodies of Asio and Beast, compiled once: see usvc_boost_impl in libraries.cmake.
#include <boost/asio/impl/src.hpp>
#include <boost/beast/src.hpp>
