#include "src/config/files.h"

#include <gtest/gtest.h>

namespace postern::config {
namespace {

using List = std::vector<std::string>;

TEST(FilesTest, NothingNamedNothingListed) {
  EXPECT_EQ(FilesOf(Config()), List());
  EXPECT_EQ(DirectoriesOf(Config()), List());
}

TEST(FilesTest, EverythingThatIsReadEachOnce) {
  Config config;
  ListenerConfig listener;
  listener.certificates = {{"a.crt", "a.key"}, {"b.crt", "b.key"}};
  TrustConfig& trust = listener.client_auth.trust;
  trust.ca_files = {"ca1", "ca2"};
  trust.ca_directories = {"dir1"};
  trust.intermediate_files = {"sub"};
  trust.crl_files = {"crl"};
  TrustConfig& candidate = listener.client_auth.candidate.emplace();
  candidate.ca_files = {"ca1", "ca3"};
  candidate.ca_directories = {"dir2", "dir1"};
  candidate.crl_files = {"crl2"};
  TlsHost host;
  host.certificates = {{"c.crt", "a.key"}};
  host.client_auth.emplace().trust.ca_files = {"ca4"};
  host.client_auth->candidate.emplace().ca_directories = {"dir3"};
  listener.tls_hosts = {host, TlsHost()};
  config.listeners = {listener, listener};
  GroupConfig group;
  group.tls.emplace().ca_files = {"ca1", "ca5"};
  group.tls->certificate_file = "d.crt";
  group.tls->key_file = "d.key";
  GroupConfig without_certificate;
  without_certificate.tls.emplace().ca_files = {"ca6"};
  config.groups = {group, without_certificate, GroupConfig()};
  config.tickets.secret_file = "secret";
  config.access_log = "access.log";
  config.error_log = "error.log";
  EXPECT_EQ(FilesOf(config),
            (List{"a.crt", "a.key", "b.crt", "b.key", "c.crt", "ca1", "ca2", "ca3", "ca4", "ca5",
                  "ca6", "crl", "crl2", "d.crt", "d.key", "secret", "sub"}));
  EXPECT_EQ(DirectoriesOf(config), (List{"dir1", "dir2", "dir3"}));
}

}  // namespace
}  // namespace postern::config
