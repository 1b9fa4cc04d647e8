#include <gtest/gtest.h>

#include <set>

#include "api/routes.h"
#include "manual/openapi.h"
#include "shapes/route_table.h"

namespace usvc {

namespace {

TEST(OpenApi, WhatIsAnsweredIsDescribedAndNothingElse) {
  std::set<std::pair<std::string_view, std::string_view>> described;
  for (const auto& route : route_table()) described.emplace(route.method, route.path);
  const auto answered = addresses();
  const std::set<std::pair<std::string_view, std::string_view>> known(answered.begin(), answered.end());
  EXPECT_EQ(described, known);
}

// Whatever is referred to anywhere in the document.
void collect_references(const json::value& value, std::set<std::string>& found) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (key == "$ref") found.emplace(member.as_string());
      collect_references(member, found);
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& member : *array) collect_references(member, found);
  }
}

TEST(OpenApi, EveryShapeThatIsReferredToIsThere) {
  const json::object document = openapi_document();
  std::set<std::string> references;
  collect_references(document, references);
  EXPECT_GT(references.size(), 15U);
  const auto& schemas = document.at("components").at("schemas").as_object();
  const std::string prefix = "#/components/schemas/";
  for (const auto& reference : references) {
    EXPECT_TRUE(reference.starts_with(prefix) && schemas.contains(reference.substr(prefix.size()))) << reference;
  }
}

}  // namespace

}  // namespace usvc
