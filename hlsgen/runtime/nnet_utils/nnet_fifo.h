// SPDX-License-Identifier: Apache-2.0
// A first-in first-out buffer within one component, for compilers that have no channel inside a function.
#ifndef NNET_FIFO_H_
#define NNET_FIFO_H_

#ifndef NNET_FIFO_CAPACITY
#define NNET_FIFO_CAPACITY 4096
#endif

namespace nnet {

template <class T> class fifo {
  public:
    fifo() : first_(0), count_(0) {}
    explicit fifo(const char *) : first_(0), count_(0) {}
    void write(const T &v) {
        const unsigned at = first_ + count_;
        items_[at < NNET_FIFO_CAPACITY ? at : at - NNET_FIFO_CAPACITY] = v;
        count_++;
    }
    T read() {
        const T v = items_[first_];
        first_ = first_ + 1 < NNET_FIFO_CAPACITY ? first_ + 1 : 0;
        count_--;
        return v;
    }
    bool empty() const { return count_ == 0; }
    unsigned size() const { return count_; }

  private:
    T items_[NNET_FIFO_CAPACITY];
    unsigned first_;
    unsigned count_;
};

// Between the ports of a component, which are of the tool's own types, and its buffers.
template <class T, unsigned N, class PORT> void take(PORT &port, fifo<T> &buffer) {
    for (unsigned p = 0; p < N; p++) {
        buffer.write(port.read());
    }
}

template <class T, unsigned N, class PORT> void give(fifo<T> &buffer, PORT &port) {
    for (unsigned p = 0; p < N; p++) {
        port.write(buffer.read());
    }
}

} // namespace nnet

#endif
