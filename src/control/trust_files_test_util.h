// Loads one listener's files again and again, as reloads do.
#ifndef POSTERN_SRC_CONTROL_TRUST_FILES_TEST_UTIL_H_
#define POSTERN_SRC_CONTROL_TRUST_FILES_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "src/control/loader.h"
#include "src/tls/certificate_view.h"
#include "src/tls/crl_test_util.h"
#include "tests/sim/sim_host.h"

namespace postern::control {

inline tls::KeyId KeyOf(const tls::Cert& cert) {
  tls::CertificateView view;
  CHECK(tls::ParseCertificateView(
      {reinterpret_cast<const uint8_t*>(cert.der.data()), cert.der.size()}, &view));
  return tls::KeyIdOf(view.spki);
}

class TrustFilesTest : public ::testing::Test {
 protected:
  TrustFilesTest() {
    world_.JumpWall(tls::kNow * 1000 - world_.wall_ms());
    host_.SetFile("a.crt", Pki().server.pem());
    host_.SetFile("a.key", Pki().server.key_pem());
    host_.SetFile("ca.pem", Pki().root.pem());
    config_.listeners.resize(1);
    config_.listeners[0].name = "https";
    config_.listeners[0].certificates = {{"a.crt", "a.key"}};
    config_.listeners[0].client_auth.mode = config::ClientAuth::kRequire;
    trust().ca_files = {"ca.pem"};
    config_.tickets.enabled = false;
  }

  static const tls::TestPki& Pki() { return tls::TestPki::Get(); }
  config::TrustConfig& trust() { return config_.listeners[0].client_auth.trust; }

  // The warnings; an error is a failure.
  std::vector<std::string> Load() {
    absl::StatusOr<Materials> loaded = TryLoad();
    EXPECT_TRUE(loaded.ok()) << loaded.status();
    if (loaded.ok()) {
      before_ = std::move(materials_);
      materials_ = *std::move(loaded);
      return materials_.warnings;
    }
    return {};
  }
  std::string Error() { return std::string(TryLoad().status().message()); }
  absl::StatusOr<Materials> TryLoad() {
    LoadTerms terms;
    terms.host = &host_;
    terms.previous = materials_.config == nullptr ? nullptr : &materials_;
    terms.trust_only = trust_only_;
    return LoadMaterials(std::make_shared<const config::Config>(config_), terms);
  }
  const tls::RevocationIndex* index() const {
    return materials_.contexts[0].hosts[0].trust.revocation;
  }

  static std::string List(const tls::Cert& issuer, tls::CrlOptions options = {}) {
    return tls::CrlPem(tls::MakeCrl(options, issuer));
  }

  sim::World world_{1};
  sim::SimHost host_{&world_};
  config::Config config_;
  bool trust_only_ = false;
  Materials before_;
  Materials materials_;
};

}  // namespace postern::control

#endif  // POSTERN_SRC_CONTROL_TRUST_FILES_TEST_UTIL_H_
