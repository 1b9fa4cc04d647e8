// The API's addresses, shared by server and client. HTTP/1.1 with JSON bodies over the instance's unix socket.
//
//   GET  /v1/jobs?select=WORD&…      JobsReply (every job when no word is given)
//   GET  /v1/jobs/NAME/terminal     a WebSocket: shapes/terminal.h
//   GET  /v1/vars                    VarsView
//   GET  /v1/conf/NAME               ConfView
//   GET  /v1/save?select=WORD&…      SaveReply
//   GET  /v1/events?follow=1         journal lines as they come, one JSON object a line, until the client hangs up
//   POST /v1/jobs                    StartRequest   -> OutcomesReply
//   POST /v1/{start,stop,restart,clean,rotate,signal}  SelectRequest -> OutcomesReply
//   POST /v1/wait                    WaitRequest    -> WaitReply
//   POST /v1/load                    LoadRequest    -> OutcomesReply
//   POST /v1/shutdown                PlainRequest   -> OutcomesReply
//   POST /v1/upgrade                 UpgradeRequest -> UpgradeReply
//   PUT  /v1/conf/NAME               ConfChange     -> ConfView
//
// A failure is an ErrorReply with status 400 (usage), 404 (no match) or 500. Words in addresses are percent-encoded.
#pragma once

namespace usvc::route {

inline constexpr char jobs[] = "/v1/jobs";
inline constexpr char job[] = "/v1/jobs/";
inline constexpr char terminal[] = "/terminal";  // behind a job's name
inline constexpr char vars[] = "/v1/vars";
inline constexpr char conf[] = "/v1/conf/";
inline constexpr char save[] = "/v1/save";
inline constexpr char load[] = "/v1/load";
inline constexpr char events[] = "/v1/events";
inline constexpr char start[] = "/v1/start";
inline constexpr char stop[] = "/v1/stop";
inline constexpr char restart[] = "/v1/restart";
inline constexpr char clean[] = "/v1/clean";
inline constexpr char rotate[] = "/v1/rotate";
inline constexpr char signal[] = "/v1/signal";
inline constexpr char wait[] = "/v1/wait";
inline constexpr char shutdown[] = "/v1/shutdown";
inline constexpr char upgrade[] = "/v1/upgrade";

}  // namespace usvc::route
