#include "tests/testing/raw_peer.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

#include "tests/testing/sockets.h"

namespace hizo::test {
namespace {

constexpr size_t kFrameHeaderSize = 9;
constexpr unsigned char kAlpn[] = {2, 'h', '2'};
constexpr char kPreface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using BioPtr = std::unique_ptr<BIO, Freer<BIO_free>>;
using CertPtr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, Freer<SSL_free>>;

void Check(bool ok) {
  if (!ok) throw std::runtime_error("the TLS connection failed");
}

CertPtr ReadCertificate(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return CertPtr(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

KeyPtr ReadKey(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return KeyPtr(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

void AppendNumber(std::string& out, uint32_t value, size_t size) {
  for (size_t i = size; i-- > 0;) {
    out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  }
}

uint32_t NumberAt(std::string_view bytes, size_t begin, size_t size) {
  uint32_t value = 0;
  for (const char byte : bytes.substr(begin, size)) {
    value = value << 8 | static_cast<uint8_t>(byte);
  }
  return value;
}

// HPACK's number of 7 bits and more (RFC 7541, 5.1).
void AppendHpackSize(std::string& out, size_t size) {
  if (size < 127) {
    out.push_back(static_cast<char>(size));
    return;
  }
  out.push_back(127);
  size -= 127;
  for (; size >= 128; size /= 128) {
    out.push_back(static_cast<char>(size % 128 + 128));
  }
  out.push_back(static_cast<char>(size));
}

}  // namespace

struct RawPeer::Connection {
  int socket = -1;
  ContextPtr context;
  SslPtr ssl;
  std::string unread;

  ~Connection() {
    ssl.reset();
    if (socket >= 0) close(socket);
  }
};

RawPeer::RawPeer(const Peer::Options& options)
    : connection_(std::make_unique<Connection>()) {
  // A server that closes while this writes must not end the test.
  std::signal(SIGPIPE, SIG_IGN);
  Connection& made = *connection_;
  made.socket = ConnectTo(options.address);
  Check(made.socket >= 0);
  const timeval patience{kPatience.count(), 0};
  setsockopt(made.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  setsockopt(made.socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  made.context.reset(SSL_CTX_new(TLS_client_method()));
  Check(made.context != nullptr);
  SSL_CTX_set_alpn_protos(made.context.get(), kAlpn, sizeof(kAlpn));
  X509_STORE_add_cert(SSL_CTX_get_cert_store(made.context.get()),
                      ReadCertificate(options.authority).get());
  SSL_CTX_set_verify(made.context.get(), SSL_VERIFY_PEER, nullptr);
  if (!options.identity.certificate.empty()) {
    Check(SSL_CTX_use_certificate(
              made.context.get(),
              ReadCertificate(options.identity.certificate).get()) == 1);
    Check(SSL_CTX_use_PrivateKey(made.context.get(),
                                 ReadKey(options.identity.key).get()) == 1);
  }
  made.ssl.reset(SSL_new(made.context.get()));
  SSL_set_fd(made.ssl.get(), made.socket);
  Check(SSL_connect(made.ssl.get()) == 1);
  Send(std::string_view(kPreface));
  Send(Frame{FrameType::kSettings, 0, 0, ""});
}

RawPeer::~RawPeer() = default;

bool RawPeer::Send(std::string_view bytes) {
  ERR_clear_error();
  const int sent = SSL_write(connection_->ssl.get(), bytes.data(),
                             static_cast<int>(bytes.size()));
  return sent > 0;
}

bool RawPeer::Send(const Frame& frame) {
  std::string bytes;
  AppendNumber(bytes, static_cast<uint32_t>(frame.payload.size()), 3);
  bytes.push_back(static_cast<char>(frame.type));
  bytes.push_back(static_cast<char>(frame.flags));
  AppendNumber(bytes, frame.stream, 4);
  return Send(std::string_view(bytes + frame.payload));
}

std::optional<Frame> RawPeer::Next() {
  std::string& unread = connection_->unread;
  std::array<char, 16384> buffer{};
  for (;;) {
    if (unread.size() >= kFrameHeaderSize) {
      const size_t size = NumberAt(unread, 0, 3);
      if (unread.size() >= kFrameHeaderSize + size) {
        Frame frame{static_cast<FrameType>(unread[3]),
                    static_cast<uint8_t>(unread[4]), NumberAt(unread, 5, 4),
                    unread.substr(kFrameHeaderSize, size)};
        unread.erase(0, kFrameHeaderSize + size);
        return frame;
      }
    }
    ERR_clear_error();
    const int got = SSL_read(connection_->ssl.get(), buffer.data(),
                             static_cast<int>(buffer.size()));
    if (got <= 0) {
      if (SSL_get_error(connection_->ssl.get(), got) == SSL_ERROR_WANT_READ) {
        throw std::runtime_error("the server neither answers nor closes");
      }
      return std::nullopt;
    }
    unread.append(buffer.data(), static_cast<size_t>(got));
  }
}

std::optional<Frame> RawPeer::Await(FrameType type, uint32_t stream) {
  for (;;) {
    auto frame = Next();
    if (!frame.has_value()) return frame;
    if (frame->type == type && (stream == 0 || frame->stream == stream)) {
      return frame;
    }
  }
}

std::optional<Frame> RawPeer::AcceptSettings() {
  auto settings = Await(FrameType::kSettings);
  Send(Frame{FrameType::kSettings, kAck, 0, ""});
  return settings;
}

Frame RawPeer::CallFrame(uint32_t stream, const std::string& path,
                         const Headers& more) {
  Headers headers = {{":method", "POST"},
                     {":scheme", "https"},
                     {":path", path},
                     {":authority", "localhost"},
                     {"content-type", "application/grpc"},
                     {"te", "trailers"}};
  headers.insert(headers.end(), more.begin(), more.end());
  Frame frame{FrameType::kHeaders, kEndHeaders, stream, ""};
  for (const auto& [name, value] : headers) {
    frame.payload.push_back(0);  // literal, not indexed
    AppendHpackSize(frame.payload, name.size());
    frame.payload += name;
    AppendHpackSize(frame.payload, value.size());
    frame.payload += value;
  }
  return frame;
}

std::string RawPeer::Framed(std::string_view message, uint8_t compressed) {
  std::string framed(1, static_cast<char>(compressed));
  AppendNumber(framed, static_cast<uint32_t>(message.size()), 4);
  return framed.append(message);
}

uint32_t ErrorCodeOf(const Frame& frame) {
  return frame.type == FrameType::kGoAway ? NumberAt(frame.payload, 4, 4)
                                          : NumberAt(frame.payload, 0, 4);
}

}  // namespace hizo::test
