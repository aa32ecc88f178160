#include "src/proxy/local_response.h"

#include <gtest/gtest.h>

#include <string>

#include "src/http/h1_writer.h"

namespace postern::proxy {
namespace {

// Notes what is written to it.
class Client final : public DownstreamStream {
 public:
  Body PeekBody() override { return {}; }
  void ConsumeBody() override {}
  void ReadRequestTrailers(http::FieldList* out) const override { out->Clear(); }
  bool HasResponseRoom() const override { return true; }
  void WriteInterim(const http::ResponseHead&) override { ADD_FAILURE(); }
  void WriteHead(const http::ResponseHead& head, bool close_after) override {
    EXPECT_TRUE(body.empty());
    ++heads;
    status = head.status;
    reason = std::string(head.reason);
    framing = head.framing;
    length = head.content_length;
    close = close_after;
    for (const http::Field& field : head.fields) {
      fields += std::string(field.name) + ": " + std::string(field.value) + "\n";
    }
  }
  void WriteBody(std::string_view data) override { body += data; }
  void WriteEnd(const http::FieldList& trailers) override {
    EXPECT_TRUE(trailers.empty());
    ++ends;
  }
  void Wake() override {}

  int heads = 0;
  int ends = 0;
  uint16_t status = 0;
  std::string reason;
  std::string fields;
  http::BodyFraming framing = http::BodyFraming::kNone;
  uint64_t length = 0;
  bool close = false;
  std::string body;
};

uint64_t Respond(uint16_t status, http::Method method, bool close_after, Client* client,
                 std::string_view location = {}) {
  http::RequestHead request;
  request.method = method;
  return WriteLocalResponse({status, &request, close_after, location}, client);
}

TEST(LocalResponse, Body) {
  for (uint16_t status : {uint16_t{400}, uint16_t{404}, uint16_t{408}, uint16_t{413}, uint16_t{431},
                          uint16_t{502}, uint16_t{503}, uint16_t{504}}) {
    Client client;
    uint64_t size = Respond(status, http::Method::kGet, false, &client);
    EXPECT_EQ(client.heads, 1);
    EXPECT_EQ(client.ends, 1);
    EXPECT_EQ(client.status, status);
    EXPECT_EQ(client.body, std::to_string(status) + " " + client.reason + "\n");
    EXPECT_NE(client.reason, "Unknown");
    EXPECT_EQ(client.framing, http::BodyFraming::kLength);
    EXPECT_EQ(client.length, client.body.size());
    EXPECT_EQ(size, client.body.size());
    EXPECT_EQ(client.fields, "Content-Type: text/plain\nCache-Control: no-store\n");
    EXPECT_FALSE(client.close);
  }
}

TEST(LocalResponse, HeadTellsTheLengthOnly) {
  Client client;
  EXPECT_EQ(Respond(502, http::Method::kHead, true, &client), 0u);
  EXPECT_EQ(client.body, "");
  EXPECT_EQ(client.ends, 1);
  EXPECT_EQ(client.framing, http::BodyFraming::kNone);
  EXPECT_TRUE(client.close);
  EXPECT_EQ(client.fields,
            "Content-Type: text/plain\nCache-Control: no-store\nContent-Length: 16\n");
}

TEST(LocalResponse, MethodNotAllowedSaysWhatIs) {
  Client client;
  Respond(405, http::Method::kTrace, false, &client);
  EXPECT_NE(client.fields.find("Allow: GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH\n"),
            std::string::npos);
}

TEST(LocalResponse, Redirect) {
  Client client;
  Respond(308, http::Method::kGet, false, &client, "https://a.example.test/x?y");
  EXPECT_NE(client.fields.find("Location: https://a.example.test/x?y\n"), std::string::npos);
}

TEST(LocalResponse, GrpcClientsGetTheirOwnStatus) {
  struct Case {
    uint16_t status;
    const char* grpc_status;
  };
  for (const Case& test : {Case{400, "13"}, Case{403, "7"}, Case{404, "12"}, Case{413, "8"},
                           Case{421, "2"}, Case{502, "14"}, Case{503, "14"}, Case{504, "4"}}) {
    Client client;
    http::RequestHead request;
    request.method = http::Method::kPost;
    request.version = http::Version::kHttp2;
    request.fields.Append({"content-type", "application/grpc+proto", http::FieldId::kOther});
    EXPECT_EQ(WriteLocalResponse({test.status, &request, false, {}}, &client), 0u);
    EXPECT_EQ(client.status, 200);
    EXPECT_EQ(client.framing, http::BodyFraming::kNone);
    EXPECT_TRUE(client.body.empty());
    EXPECT_EQ(client.ends, 1);
    std::string line = std::string("grpc-status: ") + test.grpc_status + "\n";
    EXPECT_NE(client.fields.find(line), std::string::npos) << test.status;
    // By HTTP/1.1 no gRPC is spoken.
    Client old;
    request.version = http::Version::kHttp11;
    WriteLocalResponse({test.status, &request, false, {}}, &old);
    EXPECT_EQ(old.status, test.status);
  }
}

}  // namespace
}  // namespace postern::proxy
