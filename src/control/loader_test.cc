#include "src/control/loader.h"

#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "src/tls/tls_test_util.h"
#include "tests/sim/sim_host.h"

namespace postern::control {
namespace {

size_t LinesOf(std::string_view text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
}

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() {
    const tls::TestPki& pki = tls::TestPki::Get();
    host_.SetFile("a.crt", pki.server.pem());
    host_.SetFile("a.key", pki.server.key_pem());
    host_.SetFile("ca.pem", pki.root.pem());
    config_.groups.resize(2);
    config_.groups[0].name = "app";
    config_.groups[0].servers = {{"s0", "10.0.0.1", 8080, 100}, {"s1", "backend.test", 8081, 0}};
    config_.groups[1].name = "other";
    config_.groups[1].servers = {{"s0", "10.0.0.3", 8080, 50}};
    host_.SetName("backend.test", {Address("10.0.0.2", 8081), Address("10.0.0.9", 8081)});
    AddListener("https");
    config_.listeners[0].client_auth.mode = config::ClientAuth::kRequire;
    config_.listeners[0].client_auth.trust.ca_files = {"ca.pem"};
  }

  static io::Address Address(std::string_view host, uint16_t port) {
    return *io::ParseHost(host, port);
  }
  void AddListener(const std::string& name) {
    config::ListenerConfig listener;
    listener.name = name;
    listener.certificates = {{"a.crt", "a.key"}};
    listener.default_group_index = 1;
    listener.hosts = {{"a.example.test", 0}};
    config_.listeners.push_back(listener);
  }
  absl::StatusOr<Materials> Load() {
    LoadTerms terms;
    terms.host = &host_;
    return LoadMaterials(std::make_shared<const config::Config>(config_), terms);
  }
  absl::StatusOr<std::unique_ptr<proxy::Serving>> Build() {
    auto materials = Load();
    EXPECT_TRUE(materials.ok()) << materials.status();
    materials_ = *std::move(materials);
    auto health = CreateHealthTable(config_, 1, nullptr);
    EXPECT_TRUE(health.ok());
    health_ = *std::move(health);
    return BuildServing(materials_, health_.get());
  }
  static void ExpectLines(const absl::Status& status, const std::vector<std::string>& lines) {
    ASSERT_FALSE(status.ok());
    std::string text(status.message());
    EXPECT_EQ(LinesOf(text), lines.size()) << text;
    for (const std::string& line : lines) {
      EXPECT_NE(text.find(line), std::string::npos) << "no '" << line << "' in:\n" << text;
    }
  }

  sim::World world_{1};
  sim::SimHost host_{&world_};
  config::Config config_;
  Materials materials_;
  std::unique_ptr<upstream::HealthTable> health_;
};

TEST_F(LoaderTest, Good) {
  auto serving = Build();
  ASSERT_TRUE(serving.ok()) << serving.status();
  ASSERT_EQ((*serving)->upstreams->groups.size(), 2u);
  const auto& app = (*serving)->upstreams->groups[0]->servers;
  ASSERT_EQ(app.size(), 2u);
  EXPECT_EQ(app[0]->name, "s0");
  EXPECT_EQ(app[0]->row, 0u);
  EXPECT_EQ(io::Format(app[1]->address), "10.0.0.2:8081");
  EXPECT_EQ(app[1]->row, 1u);
  EXPECT_EQ((*serving)->upstreams->groups[1]->servers[0]->row, 2u);
  ASSERT_EQ((*serving)->listeners.size(), 1u);
  const proxy::Listener& listener = *(*serving)->listeners[0];
  EXPECT_NE(listener.tls, nullptr);
  EXPECT_EQ(listener.Route("a.example.test"), (*serving)->upstreams->groups[0].get());
  EXPECT_EQ(listener.Route("b.example.test"), (*serving)->upstreams->groups[1].get());
}

TEST_F(LoaderTest, EveryShardGetsItsOwn) {
  auto first = Build();
  ASSERT_TRUE(first.ok());
  auto second = BuildServing(materials_, health_.get());
  ASSERT_TRUE(second.ok());
  EXPECT_NE((*first)->listeners[0]->tls.get(), (*second)->listeners[0]->tls.get());
  EXPECT_NE((*first)->upstreams->groups[0].get(), (*second)->upstreams->groups[0].get());
}

TEST_F(LoaderTest, EverythingMissingIsTold) {
  host_.RemoveFile("a.crt");
  host_.RemoveFile("ca.pem");
  host_.SetName("backend.test", {});
  config_.groups[1].servers[0].host = "nobody.test";
  auto materials = Load();
  ExpectLines(materials.status(),
              {"listener 'https', certificate: ", "listener 'https', client CA: ",
               "group 'app', server 's1': ", "group 'other', server 's0': "});
  EXPECT_NE(materials.status().message().find("a.crt"), absl::string_view::npos);
  EXPECT_NE(materials.status().message().find("ca.pem"), absl::string_view::npos);
  EXPECT_NE(materials.status().message().find("nobody.test"), absl::string_view::npos);
}

// A name server that is away is no reason to go on with an old configuration, nor to lose a server.
TEST_F(LoaderTest, AServerStaysWhereItWas) {
  auto before = Load();
  ASSERT_TRUE(before.ok()) << before.status();
  host_.FailResolving(true);
  config_.groups[0].servers[1].port = 9999;
  std::optional<std::vector<std::string>> unresolved;
  LoadTerms terms;
  terms.host = &host_;
  terms.previous = &*before;
  terms.unresolved = &unresolved;
  auto config = std::make_shared<const config::Config>(config_);
  auto now = LoadMaterials(config, terms);
  ASSERT_TRUE(now.ok()) << now.status();
  EXPECT_EQ(io::Format(now->servers[0][1]), "10.0.0.2:9999");
  ASSERT_TRUE(unresolved.has_value());
  ASSERT_EQ(unresolved->size(), 1u);
  EXPECT_EQ((*unresolved)[0],
            "group 'app', server 's1': backend.test: no name server answers; it stays at "
            "10.0.0.2:8081");
  // Nobody knows where a new one is.
  config_.groups[0].servers[0].host = "new.test";
  config = std::make_shared<const config::Config>(config_);
  ExpectLines(LoadMaterials(config, terms).status(), {"group 'app', server 's0': new.test: "});
  EXPECT_EQ(unresolved->size(), 2u);
}

// Name servers give several in turn.
TEST_F(LoaderTest, AServerStaysWhileItsAddressIsOneOfThem) {
  auto before = Load();
  ASSERT_TRUE(before.ok()) << before.status();
  host_.SetName("backend.test", {Address("10.0.0.9", 0), Address("10.0.0.2", 0)});
  LoadTerms terms;
  terms.host = &host_;
  terms.previous = &*before;
  auto now = LoadMaterials(before->config, terms);
  ASSERT_TRUE(now.ok());
  EXPECT_TRUE(now->SameAs(*before));
  host_.SetName("backend.test", {Address("10.0.0.9", 0)});
  now = LoadMaterials(before->config, terms);
  ASSERT_TRUE(now.ok());
  EXPECT_EQ(io::Format(now->servers[0][1]), "10.0.0.9:8081");
}

TEST_F(LoaderTest, EveryListenerIsTold) {
  AddListener("second");
  AddListener("third");
  config_.listeners[1].certificates = {{"b.crt", "b.key"}};
  config_.listeners[2].certificates.push_back({"c.crt", "a.key"});
  ExpectLines(Load().status(), {"listener 'second', certificate: ", "listener 'second', key: ",
                                "listener 'third', certificate: "});
}

TEST_F(LoaderTest, BundleIsNotReadWithoutClientAuthentication) {
  config_.listeners[0].client_auth.mode = config::ClientAuth::kOff;
  host_.RemoveFile("ca.pem");
  EXPECT_TRUE(Build().ok());
}

TEST_F(LoaderTest, BadContentsOfEveryListener) {
  AddListener("second");
  host_.SetFile("ca.pem", "nonsense");
  host_.SetFile("b.key", tls::TestPki::Get().client.key_pem());
  config_.listeners[1].certificates = {{"a.crt", "b.key"}};
  auto serving = Build();
  ExpectLines(serving.status(), {"listener 'https': ca.pem: ", "listener 'second': b.key: "});
}

TEST_F(LoaderTest, HealthTable) {
  auto table = CreateHealthTable(config_, 3, nullptr);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ((*table)->shape().servers, 3u);
  EXPECT_EQ((*table)->shape().groups, 2u);
  EXPECT_EQ((*table)->shape().shards, 3u);
  EXPECT_EQ((*table)->server(0).state.load(), upstream::ServerState::kUnknown);
  EXPECT_EQ((*table)->server(0).weight.load(), 100u);
  // Weight 0 takes no new requests and is not checked.
  EXPECT_EQ((*table)->server(1).state.load(), upstream::ServerState::kDisabled);
  EXPECT_EQ((*table)->server(2).weight.load(), 50u);
  EXPECT_EQ((*table)->server(2).key, upstream::RowKey("other", "s0"));
  EXPECT_NE((*table)->server(0).key, (*table)->server(2).key);
}

TEST_F(LoaderTest, ADrainedServerStaysDrained) {
  auto before = CreateHealthTable(config_, 1, nullptr);
  ASSERT_TRUE(before.ok());
  upstream::SetDrained(before->get(), 2, 1, true);
  config_.groups[0].servers.pop_back();
  auto after = CreateHealthTable(config_, 1, before->get());
  ASSERT_TRUE(after.ok());
  EXPECT_EQ((*after)->server(0).drained.load(), 0u);
  EXPECT_EQ((*after)->server(1).drained.load(), 1u);
}

TEST_F(LoaderTest, Certificates) {
  const tls::TestPki& pki = tls::TestPki::Get();
  AddListener("second");  // the same files, told once
  host_.SetFile("bundle.pem", pki.root.pem() + pki.sub_ca.pem());
  config_.listeners[1].client_auth.mode = config::ClientAuth::kRequest;
  config_.listeners[1].client_auth.trust.ca_files = {"ca.pem"};
  config_.listeners[1].client_auth.trust.intermediate_files = {"bundle.pem"};
  config_.groups[0].tls.emplace().ca_files = {"ca.pem"};
  auto materials = Load();
  ASSERT_TRUE(materials.ok()) << materials.status();
  std::vector<std::string> told;
  for (const CertificateList::Entry& entry : materials->certificates.certificates) {
    told.push_back(std::string(entry.role) + " " + entry.file + " " + entry.subject);
    EXPECT_GT(entry.not_after_s, tls::kNow);
  }
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told,
            (std::vector<std::string>{
                "client_ca ca.pem CN=Test Root", "client_intermediate bundle.pem CN=Test Root",
                "client_intermediate bundle.pem CN=Test Sub CA",
                "server a.crt CN=server.example.test", "upstream_ca ca.pem CN=Test Root"}));
  EXPECT_EQ(materials->certificates.left_out, 0u);
}

TEST_F(LoaderTest, OfManyCertificatesTheFirstToExpire) {
  const tls::TestPki& pki = tls::TestPki::Get();
  tls::Cert soon = tls::MakeCert({.cn = "soon", .not_after_s = tls::kNow + 60}, &pki.root);
  std::string bundle;
  for (size_t i = 0; i < CertificateList::kSizeMax; ++i) {
    bundle += pki.root.pem();
  }
  host_.SetFile("ca.pem", bundle + soon.pem());
  auto materials = Load();
  ASSERT_TRUE(materials.ok()) << materials.status();
  const CertificateList& list = materials->certificates;
  ASSERT_EQ(list.certificates.size(), CertificateList::kSizeMax);
  EXPECT_EQ(list.certificates[0].subject, "CN=soon");
  EXPECT_EQ(list.certificates[0].not_after_s, tls::kNow + 60);
  EXPECT_EQ(list.left_out, 2u);
}

}  // namespace
}  // namespace postern::control
