#include "manual/shapes.h"

#include <boost/mp11.hpp>

#include "manual/roff.h"
#include "shapes/event.h"
#include "shapes/requests.h"
#include "shapes/terminal.h"
#include "shapes/views.h"

namespace usvc {

namespace {

template <class T>
constexpr std::string_view type_name();

#define USVC_SHAPE(Type)                         \
  template <>                                    \
  constexpr std::string_view type_name<Type>() { \
    return #Type;                                \
  }
USVC_SHAPE(JobView)
USVC_SHAPE(ExitView)
USVC_SHAPE(BinaryView)
USVC_SHAPE(JobsReply)
USVC_SHAPE(VarsView)
USVC_SHAPE(EntryView)
USVC_SHAPE(StartRequest)
USVC_SHAPE(SelectRequest)
USVC_SHAPE(Outcome)
USVC_SHAPE(OutcomesReply)
USVC_SHAPE(WaitRequest)
USVC_SHAPE(WaitResult)
USVC_SHAPE(WaitReply)
USVC_SHAPE(ConfView)
USVC_SHAPE(ConfChange)
USVC_SHAPE(SaveReply)
USVC_SHAPE(LoadRequest)
USVC_SHAPE(PlainRequest)
USVC_SHAPE(UpgradeRequest)
USVC_SHAPE(UpgradeReply)
USVC_SHAPE(ErrorView)
USVC_SHAPE(ErrorReply)
USVC_SHAPE(Event)
USVC_SHAPE(ViewerMessage)
USVC_SHAPE(TerminalModes)
USVC_SHAPE(TerminalView)
#undef USVC_SHAPE

using Shapes = boost::mp11::mp_list<JobView, ExitView, BinaryView, JobsReply, VarsView, EntryView, StartRequest,
                                    SelectRequest, Outcome, OutcomesReply, WaitRequest, WaitResult, WaitReply, ConfView,
                                    ConfChange, SaveReply, LoadRequest, PlainRequest, UpgradeRequest, UpgradeReply,
                                    ErrorView, ErrorReply, Event, ViewerMessage, TerminalModes, TerminalView>;

template <class T>
std::string type_words() {
  if constexpr (detail::IsOptional<T>::value) {
    return type_words<typename T::value_type>() + " or null";
  } else if constexpr (detail::IsVector<T>::value) {
    return "list of " + type_words<typename T::value_type>();
  } else if constexpr (detail::Described<T>) {
    return std::string(type_name<T>());
  } else if constexpr (std::is_same_v<T, bool>) {
    return "true or false";
  } else if constexpr (std::is_integral_v<T>) {
    return "whole number";
  } else if constexpr (std::is_floating_point_v<T>) {
    return "number";
  } else if constexpr (std::is_same_v<T, std::string>) {
    return "text";
  } else {
    return "anything";
  }
}

template <class T>
std::string items_of() {
  std::string text;
  boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
    text += ".br\n" + roff_bold(member.name) + ": " + roff_text(type_words<Member>()) + "\n";
  });
  return text;
}

json::object reference_to(std::string_view name) {
  return {{"$ref", "#/components/schemas/" + std::string(name)}};
}

// OpenAPI 3.0 has no type null: what may be null says so beside its type.
template <class T>
json::object member_schema() {
  if constexpr (detail::IsOptional<T>::value) {
    json::object schema = member_schema<typename T::value_type>();
    if (schema.contains("$ref")) schema = {{"allOf", json::array{schema}}};
    schema["nullable"] = true;
    return schema;
  } else if constexpr (detail::IsVector<T>::value) {
    return {{"type", "array"}, {"items", member_schema<typename T::value_type>()}};
  } else if constexpr (detail::Described<T>) {
    return reference_to(type_name<T>());
  } else if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_integral_v<T>) {
    return {{"type", "integer"}, {"format", "int64"}};
  } else if constexpr (std::is_floating_point_v<T>) {
    return {{"type", "number"}};
  } else if constexpr (std::is_same_v<T, std::string>) {
    return {{"type", "string"}};
  } else {
    return {};
  }
}

template <class T>
json::object schema_of() {
  json::object properties;
  boost::mp11::mp_for_each<detail::Members<T>>([&](auto member) {
    using Member = std::remove_cvref_t<decltype(std::declval<T>().*member.pointer)>;
    properties[member.name] = member_schema<Member>();
  });
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

}  // namespace

json::object shape_schemas() {
  json::object schemas;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, Shapes>>([&](auto shape) {
    using T = typename decltype(shape)::type;
    schemas[type_name<T>()] = schema_of<T>();
  });
  return schemas;
}

std::string shape_items(std::string_view name) {
  std::string text;
  boost::mp11::mp_for_each<boost::mp11::mp_transform<boost::mp11::mp_identity, Shapes>>([&](auto shape) {
    using T = typename decltype(shape)::type;
    if (name == type_name<T>()) text = items_of<T>();
  });
  // The first line follows a heading, which ends a line anyway.
  return text.starts_with(".br\n") ? text.substr(4) : text;
}

}  // namespace usvc
