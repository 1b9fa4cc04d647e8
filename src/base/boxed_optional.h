// An optional whose value lies on the heap: for something large that few of very many have.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace usvc {

template <class T>
class BoxedOptional {
 public:
  BoxedOptional() = default;
  BoxedOptional(T value) : value_(std::make_unique<T>(std::move(value))) {}  // NOLINT(*-explicit-*): as std::optional
  BoxedOptional(std::optional<T> value) {                                    // NOLINT(*-explicit-*): likewise
    if (value) value_ = std::make_unique<T>(std::move(*value));
  }
  ~BoxedOptional() = default;
  BoxedOptional(BoxedOptional&&) noexcept = default;
  BoxedOptional& operator=(BoxedOptional&&) noexcept = default;
  BoxedOptional(const BoxedOptional& other) : value_(other ? std::make_unique<T>(*other) : nullptr) {}
  BoxedOptional& operator=(const BoxedOptional& other) {
    if (this != &other) *this = BoxedOptional(other);
    return *this;
  }

  [[nodiscard]] bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  operator std::optional<T>() const {  // NOLINT(*-explicit-*): the same, held otherwise
    return has_value() ? std::optional<T>(*value_) : std::nullopt;
  }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }
  [[nodiscard]] T value_or(T fallback) const { return has_value() ? *value_ : std::move(fallback); }
  T& emplace() {
    value_ = std::make_unique<T>();
    return *value_;
  }
  void reset() { value_.reset(); }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace usvc
