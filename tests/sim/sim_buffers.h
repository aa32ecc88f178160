// One receive pool of a simulated driver: every buffer an allocation of its own, so that
// AddressSanitizer sees its ends; not addressable while it is not lent.
#ifndef POSTERN_TESTS_SIM_SIM_BUFFERS_H_
#define POSTERN_TESTS_SIM_SIM_BUFFERS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace postern::sim {

class SimBuffers {
 public:
  // The buffers' ids count from `first_id`.
  SimBuffers(uint32_t first_id, uint32_t count, uint32_t bytes);
  ~SimBuffers();
  SimBuffers(const SimBuffers&) = delete;
  SimBuffers& operator=(const SimBuffers&) = delete;

  bool Has(uint32_t id) const { return id >= first_id_ && id - first_id_ < buffers_.size(); }
  // Empty when all are lent.
  bool exhausted() const { return free_.empty(); }
  // The id; the bytes are at data(id).
  uint32_t Lend();
  std::span<uint8_t> data(uint32_t id) const;
  // CHECKs that it is lent, and that `address` is its own.
  void Return(uint32_t id, const uint8_t* address);
  size_t lent() const { return buffers_.size() - free_.size(); }

 private:
  void Hide(uint32_t id);

  uint32_t first_id_;
  uint32_t bytes_;
  std::vector<std::unique_ptr<uint8_t[]>> buffers_;
  std::vector<bool> is_lent_;
  std::vector<uint32_t> free_;
};

}  // namespace postern::sim

#endif  // POSTERN_TESTS_SIM_SIM_BUFFERS_H_
