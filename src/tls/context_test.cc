// What an operator is told when certificates, keys or CA bundles are wrong, and what a context
// advertises.
#include "src/tls/context.h"

#include <gtest/gtest.h>

#include "absl/status/statusor.h"
#include "src/tls/tls_test_util.h"

namespace postern::tls {
namespace {

using config::ClientAuth;
using HandshakeStep = Engine::HandshakeStep;

const TestPki& Pki() {
  return TestPki::Get();
}

std::string ErrorOf(const ContextInput& input) {
  auto context = Context::Create(input, nullptr);
  return context.ok() ? "" : std::string(context.status().message());
}

void ExpectError(const ContextInput& input, const std::vector<std::string>& parts) {
  std::string error = ErrorOf(input);
  EXPECT_NE(error, "");
  EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  for (const std::string& part : parts) {
    EXPECT_NE(error.find(part), std::string::npos) << "no '" << part << "' in: " << error;
  }
}

ContextInput WithPair(const std::string& certificate, const std::string& key) {
  ContextInput input;
  input.tickets.enabled = false;
  input.hosts[0].pairs = {{certificate, key, "server.crt", "server.key"}};
  return input;
}

ContextInput WithBundle(const std::string& bundle) {
  ContextInput input = BasicInput(ClientAuth::kRequire);
  input.hosts[0].trust.anchors = {{"ca.pem", bundle}};
  return input;
}

TEST(ContextErrors, NoPair) {
  ContextInput input;
  input.tickets.enabled = false;
  ExpectError(input, {"no server certificate"});
}

TEST(ContextErrors, KeyOfAnother) {
  ExpectError(WithPair(Pki().server.pem(), Pki().client.key_pem()),
              {"server.key", "server.crt", "does not belong"});
  // Of another type.
  ExpectError(WithPair(Pki().server.pem(), Pki().server_rsa.key_pem()),
              {"server.key", "server.crt", "does not belong"});
  // The chain in the wrong order.
  ExpectError(WithPair(Pki().root.pem() + Pki().server.pem(), Pki().server.key_pem()),
              {"server.crt", "own certificate first"});
}

TEST(ContextErrors, GarbageCertificate) {
  ExpectError(WithPair("", Pki().server.key_pem()), {"server.crt", "no certificate found"});
  ExpectError(WithPair("hello", Pki().server.key_pem()), {"server.crt", "no certificate found"});
  ExpectError(WithPair(Pki().server.key_pem(), Pki().server.key_pem()),
              {"server.crt", "no certificate found"});
  ExpectError(WithPair("-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
                       Pki().server.key_pem()),
              {"server.crt: line 1:", "not base64"});
  ExpectError(WithPair("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
                       Pki().server.key_pem()),
              {"server.crt"});
  // A good one, then one that was cut by a full disk.
  std::string cut = Pki().root.pem();
  cut.resize(cut.size() / 2);
  ExpectError(WithPair(Pki().server.pem() + cut, Pki().server.key_pem()),
              {"server.crt: line ", "no END line"});
}

TEST(ContextErrors, GarbageKey) {
  ExpectError(WithPair(Pki().server.pem(), ""), {"server.key", "no private key found"});
  ExpectError(WithPair(Pki().server.pem(), "hello"), {"server.key", "no private key found"});
  ExpectError(WithPair(Pki().server.pem(), Pki().server.pem()),
              {"server.key", "no private key found"});
}

TEST(ContextErrors, EncryptedKey) {
  for (bool pkcs8 : {true, false}) {
    bssl::UniquePtr<BIO> out(BIO_new(BIO_s_mem()));
    char passphrase[] = "secret";
    if (pkcs8) {
      ASSERT_EQ(PEM_write_bio_PKCS8PrivateKey(out.get(), Pki().server.key.get(), EVP_aes_128_cbc(),
                                              passphrase, 6, nullptr, nullptr),
                1);
    } else {
      ASSERT_EQ(PEM_write_bio_ECPrivateKey(
                    out.get(), EVP_PKEY_get0_EC_KEY(Pki().server.key.get()), EVP_aes_128_cbc(),
                    reinterpret_cast<uint8_t*>(passphrase), 6, nullptr, nullptr),
                1);
    }
    ExpectError(WithPair(Pki().server.pem(), Cert::Contents(out.get())),
                {"server.key", "encrypted"});
  }
}

TEST(ContextErrors, TwoOfOneType) {
  ContextInput input = BasicInput();
  Cert second = MakeCert(ServerOptions(KeyType::kP384), &Pki().root);
  input.hosts[0].pairs.push_back(PairOf(second, "second"));
  ExpectError(input, {"second.crt", "same key type"});
}

TEST(ContextErrors, EmptyBundle) {
  ExpectError(WithBundle(""), {"ca.pem", "no certificate found"});
  ExpectError(WithBundle("# nothing yet\n"), {"ca.pem", "no certificate found"});
}

TEST(ContextErrors, NoCaInBundle) {
  ExpectError(WithBundle(Pki().client.pem()), {"ca.pem", "CN=device-17", "not a CA"});
  ExpectError(WithBundle(Pki().root.pem() + Pki().client.pem()),
              {"ca.pem", "number 2", "CN=device-17", "not a CA"});
}

TEST(ContextErrors, BundleThatCannotBeParsed) {
  ExpectError(WithBundle("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"),
              {"ca.pem", "line 1: certificate number 1 cannot be parsed"});
  ExpectError(WithBundle("two\n" + Pki().root.pem() + Pki().client.pem()),
              {"ca.pem: line ", "number 2"});
  Cert longer = MakeCert(CaOptions("Longer"));
  longer.der += "more";
  ExpectError(WithBundle("# a comment\n" + longer.pem()),
              {"ca.pem: line 2: bytes follow the end of the certificate"});
}

TEST(ContextErrors, BundleIsNotReadWithoutClientAuthentication) {
  ContextInput input = BasicInput();
  input.hosts[0].trust.anchors = {{"ca.pem", std::string("hello")}};
  EXPECT_EQ(ErrorOf(input), "");
}

TEST(ContextErrors, TooManyNamesToAdvertise) {
  std::string bundle;
  for (int i = 0; i < 300; ++i) {
    bundle += MakeCert(CaOptions(std::string(60, 'n') + std::to_string(i))).pem();
  }
  ContextInput input = WithBundle(bundle);
  ExpectError(input, {"ca.pem", "advertise_cas", "16384"});
  input.hosts[0].advertise_cas = false;
  EXPECT_EQ(ErrorOf(input), "");
}

TEST(Context, TakesFilesAsPeopleWriteThem) {
  // Text around the blocks, carriage returns, the key in the same file, a certificate twice.
  std::string chain =
      "subject=/CN=x\n" + Pki().server.pem() + "\n\n" + Pki().sub_ca.pem() + Pki().server.key_pem();
  EXPECT_EQ(ErrorOf(WithPair(chain, chain)), "");
  std::string crlf;
  for (char c : Pki().server.pem()) {
    crlf += c == '\n' ? "\r\n" : std::string(1, c);
  }
  EXPECT_EQ(ErrorOf(WithPair(crlf, Pki().server.key_pem())), "");
  EXPECT_EQ(ErrorOf(WithBundle(Pki().root.pem() + Pki().root.pem())), "");
}

TEST(Context, KeyFormats) {
  bssl::UniquePtr<BIO> sec1(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_ECPrivateKey(sec1.get(), EVP_PKEY_get0_EC_KEY(Pki().server.key.get()),
                                       nullptr, nullptr, 0, nullptr, nullptr),
            1);
  EXPECT_EQ(ErrorOf(WithPair(Pki().server.pem(), Cert::Contents(sec1.get()))), "");
  bssl::UniquePtr<BIO> pkcs1(BIO_new(BIO_s_mem()));
  ASSERT_EQ(PEM_write_bio_RSAPrivateKey(pkcs1.get(), EVP_PKEY_get0_RSA(Pki().server_rsa.key.get()),
                                        nullptr, nullptr, 0, nullptr, nullptr),
            1);
  EXPECT_EQ(ErrorOf(WithPair(Pki().server_rsa.pem(), Cert::Contents(pkcs1.get()))), "");
}

TEST(Context, ServerKeyTypes) {
  for (KeyType type : {KeyType::kP256, KeyType::kP384, KeyType::kRsa2048}) {
    Cert cert = MakeCert(ServerOptions(type), &Pki().root);
    TestServer server(WithPair(cert.pem(), cert.key_pem()));
    TestClient client{ClientOptions()};
    EXPECT_EQ(Connect(&client, &server), HandshakeStep::kDone) << static_cast<int>(type);
  }
}

// Whatever `openssl ecparam -genkey` puts in front of the key is passed over.
TEST(Context, EcParametersBeforeTheKey) {
  std::string key =
      "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" +
      Pki().server.key_pem();
  EXPECT_EQ(ErrorOf(WithPair(Pki().server.pem(), key)), "");
}

std::vector<std::string> AdvertisedNames(const ContextInput& input, uint16_t version) {
  TestServer server(input);
  ClientOptions options;
  options.version_min = options.version_max = version;
  TestClient client(options);
  static std::vector<std::string> names;
  names.clear();
  SSL_set_cert_cb(
      client.ssl(),
      [](SSL* ssl, void*) {
        const STACK_OF(CRYPTO_BUFFER)* list = SSL_get0_server_requested_CAs(ssl);
        for (size_t i = 0; list != nullptr && i < sk_CRYPTO_BUFFER_num(list); ++i) {
          const CRYPTO_BUFFER* name = sk_CRYPTO_BUFFER_value(list, i);
          names.emplace_back(reinterpret_cast<const char*>(CRYPTO_BUFFER_data(name)),
                             CRYPTO_BUFFER_len(name));
        }
        return 1;
      },
      nullptr);
  Connect(&client, &server);
  return names;
}

std::string NameDer(const Cert& cert) {
  uint8_t* der = nullptr;
  int size = i2d_X509_NAME(X509_get_subject_name(cert.x509.get()), &der);
  std::string name(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return name;
}

TEST(Context, CaNames) {
  for (uint16_t version : {uint16_t{TLS1_2_VERSION}, uint16_t{TLS1_3_VERSION}}) {
    ContextInput input = WithBundle(Pki().root.pem() + Pki().other_root.pem());
    EXPECT_EQ(AdvertisedNames(input, version),
              (std::vector<std::string>{NameDer(Pki().root), NameDer(Pki().other_root)}));
    input.hosts[0].advertise_cas = false;
    EXPECT_TRUE(AdvertisedNames(input, version).empty());
    EXPECT_TRUE(AdvertisedNames(BasicInput(), version).empty());
  }
}

TEST(Context, WholeServerChainIsPresented) {
  Cert leaf = MakeCert(ServerOptions(), &Pki().sub_ca);
  TestServer server(WithPair(leaf.pem() + Pki().sub_ca.pem(), leaf.key_pem()));
  TestClient client{ClientOptions()};
  ASSERT_EQ(Connect(&client, &server), HandshakeStep::kDone);
  EXPECT_EQ(sk_CRYPTO_BUFFER_num(SSL_get0_peer_certificates(client.ssl())), 2u);
}

// What a process presents it need not read again to trust others, not even once its first context
// is gone.
TEST(Context, PresentsWhatAnotherDoes) {
  const Cert leaf = MakeCert(ServerOptions(), &Pki().sub_ca);
  ContextInput input = WithBundle(Pki().root.pem());
  input.hosts[0].pairs = {{leaf.pem() + Pki().sub_ca.pem(), leaf.key_pem(), "a.crt", "a.key"}};
  std::unique_ptr<Context> first = MakeContext(input);
  input.hosts[0].pairs[0].key_pem.Wipe();
  input.hosts[0].trust.anchors = {{"ca.pem", Pki().other_root.pem()}};
  auto second = Context::Create(input, nullptr, first.get());
  ASSERT_TRUE(second.ok()) << second.status();
  first.reset();
  for (const bool is_trusted : {true, false}) {
    TestServer server(second->get());
    TestClient client(WithCertificate(is_trusted ? Pki().stranger : Pki().client));
    EXPECT_EQ(Connect(&client, &server),
              is_trusted ? HandshakeStep::kDone : HandshakeStep::kRefused);
    EXPECT_EQ(sk_CRYPTO_BUFFER_num(SSL_get0_peer_certificates(client.ssl())), 2u);
  }
}

}  // namespace
}  // namespace postern::tls
