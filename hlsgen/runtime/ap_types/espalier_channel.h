// SPDX-License-Identifier: Apache-2.0
// A first-in first-out channel for simulation; reading an empty one ends the program, as it would hang the hardware.
#ifndef ESPALIER_CHANNEL_H_
#define ESPALIER_CHANNEL_H_

#include <cstddef>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <string>

namespace espalier {

template <class T> class channel {
  public:
    channel() : most_(0) {}
    explicit channel(const char *name) : name_(name), most_(0) {}
    channel(const channel &) = delete;
    channel &operator=(const channel &) = delete;
    ~channel() {
        if (!items_.empty()) {
            std::cerr << "stream " << name_ << ": " << items_.size() << " items were never read" << std::endl;
        }
    }
    void write(const T &v) {
        items_.push_back(v);
        most_ = items_.size() > most_ ? items_.size() : most_;
    }
    T read() {
        if (items_.empty()) {
            std::cerr << "stream " << name_ << ": read while empty" << std::endl;
            std::exit(3);
        }
        T v = items_.front();
        items_.pop_front();
        return v;
    }
    void read(T &v) { v = read(); }
    bool empty() const { return items_.empty(); }
    bool full() const { return false; }
    std::size_t size() const { return items_.size(); }
    std::size_t most() const { return most_; } // the largest size it has had

  private:
    std::deque<T> items_;
    std::string name_;
    std::size_t most_;
};

} // namespace espalier

#endif
