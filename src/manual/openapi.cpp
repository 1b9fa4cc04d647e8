#include "manual/openapi.h"

#include <algorithm>
#include <string>

#include "base/version.h"
#include "manual/shapes.h"
#include "shapes/route_table.h"

namespace usvc {

namespace {

json::object content_of(std::string_view type, std::string_view shape) {
  json::object schema;
  if (!shape.empty()) schema["$ref"] = "#/components/schemas/" + std::string(shape);
  return {{type, json::object{{"schema", std::move(schema)}}}};
}

json::object parameter(std::string_view name, std::string_view in, json::object schema) {
  return {{"name", name}, {"in", in}, {"required", in == "path"}, {"schema", std::move(schema)}};
}

json::array parameters_of(const RouteRow& route) {
  const json::object text = {{"type", "string"}};
  json::array parameters;
  if (route.path.ends_with('/')) parameters.push_back(parameter("name", "path", text));
  if (route.query.starts_with("?select")) {
    parameters.push_back(parameter("select", "query", {{"type", "array"}, {"items", text}}));
  }
  if (!route.below.empty()) parameters.push_back(parameter("read-only", "query", {{"type", "integer"}}));
  if (route.query.starts_with("?follow")) parameters.push_back(parameter("follow", "query", {{"type", "integer"}}));
  return parameters;
}

// OpenAPI has no words for what goes over one.
json::object websocket(const RouteRow& route) {
  const std::string about =
      "a WebSocket: " + std::string(route.request) + " to usvc, " + std::string(route.reply) + " from it";
  return {{"summary", route.summary},
          {"parameters", parameters_of(route)},
          {"responses", json::object{{"101", json::object{{"description", about}}}}}};
}

json::object operation(const RouteRow& route) {
  if (!route.below.empty()) return websocket(route);
  const std::string_view type = route.reply.empty() ? "application/x-ndjson" : "application/json";
  const std::string_view shape = route.reply.empty() ? "Event" : route.reply;
  const json::object done = {{"description", "done"}, {"content", content_of(type, shape)}};
  const json::object failed = {{"description", "400 wrong usage, 404 no job matches, 500 another failure"},
                               {"content", content_of("application/json", "ErrorReply")}};
  json::object result = {{"summary", route.summary}, {"responses", json::object{{"200", done}, {"default", failed}}}};
  if (auto parameters = parameters_of(route); !parameters.empty()) result["parameters"] = std::move(parameters);
  if (!route.request.empty()) {
    result["requestBody"] =
        json::object{{"required", true}, {"content", content_of("application/json", route.request)}};
  }
  return result;
}

// What no schema can tell.
constexpr std::string_view about_texts =
    "Where one of an object's texts, or of its lists of texts, is not UTF-8, \"escaped\": true is among the object's "
    "keys, and in all its texts such bytes are written \\xHH, and a backslash twice. Requests may be written so too.";

}  // namespace

json::object openapi_document() {
  json::object paths;
  for (const auto& route : route_table()) {
    const std::string path =
        std::string(route.path) + (route.path.ends_with('/') ? "{name}" : "") + std::string(route.below);
    std::string method(route.method);
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return std::tolower(c); });
    if (!paths.contains(path)) paths[path] = json::object();
    paths[path].as_object()[method] = operation(route);
  }
  return {{"openapi", "3.0.3"},
          {"info", json::object{{"title", "usvc"}, {"version", own_version()}, {"description", about_texts}}},
          {"paths", std::move(paths)},
          {"components", json::object{{"schemas", shape_schemas()}}}};
}

}  // namespace usvc
