#include "src/tls/identity.h"

#include <algorithm>

#include "src/base/limits.h"

namespace postern::tls {

bool PeerIdentity::Set(const Parts& parts) {
  Clear();
  size_t size = parts.subject_dn.size() + parts.issuer_dn.size() + parts.serial.size() +
                parts.fingerprint.size();
  if (size > base::limits::kIdentityBytesMax) {
    return false;
  }
  block_class_ = base::BlockClassFor(size);
  block_ = pool_->Acquire(block_class_);
  uint8_t* at = block_;
  for (std::string_view part :
       {parts.subject_dn, parts.issuer_dn, parts.serial, parts.fingerprint}) {
    at = std::copy(part.begin(), part.end(), at);
  }
  subject_size_ = static_cast<uint16_t>(parts.subject_dn.size());
  issuer_size_ = static_cast<uint16_t>(parts.issuer_dn.size());
  serial_size_ = static_cast<uint16_t>(parts.serial.size());
  fingerprint_size_ = static_cast<uint16_t>(parts.fingerprint.size());
  not_after_s_ = parts.not_after_s;
  return true;
}

void PeerIdentity::Clear() {
  if (block_ != nullptr) {
    pool_->Release(block_class_, block_);
    block_ = nullptr;
  }
}

PeerIdentity::Parts PeerIdentity::parts() const {
  if (block_ == nullptr) {
    return {};
  }
  const char* at = reinterpret_cast<const char*>(block_);
  Parts parts;
  parts.subject_dn = {at, subject_size_};
  parts.issuer_dn = {at + subject_size_, issuer_size_};
  parts.serial = {at + subject_size_ + issuer_size_, serial_size_};
  parts.fingerprint = {at + subject_size_ + issuer_size_ + serial_size_, fingerprint_size_};
  parts.not_after_s = not_after_s_;
  return parts;
}

}  // namespace postern::tls
