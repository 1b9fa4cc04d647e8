// The API's addresses as its manual tells of them, one row each. api/routes.cpp has the same ones with what answers;
// a test holds the two against each other.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "shapes/routes.h"

namespace usvc {

struct RouteRow {
  std::string_view method;
  std::string_view path;        // one that ends in '/' is followed by a name
  std::string_view query = {};  // what may follow
  std::string_view request = {};
  std::string_view reply = {};
  std::string_view summary = {};
  std::string_view below = {};  // behind the name: a WebSocket
};

inline constexpr std::array route_rows = {
    RouteRow{"GET", route::jobs, "?select=WORD&…", "", "JobsReply", "the jobs, or those that are selected"},
    RouteRow{"GET", route::job, "NAME/terminal?read-only=1", "ViewerMessage", "TerminalView",
             "a WebSocket to the job's terminal: binary frames are keys, text frames are JSON", route::terminal},
    RouteRow{"GET", route::vars, "", "", "VarsView", "paths and settings in force"},
    RouteRow{"GET", route::conf, "NAME", "", "ConfView", "the conf of a job"},
    RouteRow{"PUT", route::conf, "NAME", "ConfChange", "ConfView", "sets a value of a conf, for the next start"},
    RouteRow{"GET", route::save, "?select=WORD&…", "", "SaveReply", "the set of jobs, as usvc save writes it"},
    RouteRow{"GET", route::events, "?follow=1", "", "",
             "the journal as it is written, an Event in each line, until the client hangs up"},
    RouteRow{"POST", route::jobs, "", "StartRequest", "OutcomesReply", "makes jobs and starts them"},
    RouteRow{"POST", route::start, "", "SelectRequest", "OutcomesReply", "starts jobs that are stopped"},
    RouteRow{"POST", route::stop, "", "SelectRequest", "OutcomesReply", "stops jobs"},
    RouteRow{"POST", route::restart, "", "SelectRequest", "OutcomesReply", "stops jobs and starts them"},
    RouteRow{"POST", route::clean, "", "SelectRequest", "OutcomesReply", "forgets jobs that do not run"},
    RouteRow{"POST", route::rotate, "", "SelectRequest", "OutcomesReply", "gives jobs new logs"},
    RouteRow{"POST", route::signal, "", "SelectRequest", "OutcomesReply", "sends a signal to jobs"},
    RouteRow{"POST", route::wait, "", "WaitRequest", "WaitReply", "waits until jobs run, stop or exit"},
    RouteRow{"POST", route::load, "", "LoadRequest", "OutcomesReply", "makes the jobs of a saved set"},
    RouteRow{"POST", route::shutdown, "", "PlainRequest", "OutcomesReply", "stops all jobs and the instance"},
    RouteRow{"POST", route::upgrade, "", "UpgradeRequest", "UpgradeReply",
             "replaces manager and keeper; the connection ends with the old manager, and the answer comes to whoever "
             "asks again with the same key"},
};

inline std::span<const RouteRow> route_table() {
  return route_rows;
}

}  // namespace usvc
