// Heads that benchmarks read and write.
#ifndef POSTERN_SRC_HTTP_HEADS_BENCH_UTIL_H_
#define POSTERN_SRC_HTTP_HEADS_BENCH_UTIL_H_

#include <string_view>

namespace postern::http {

inline constexpr std::string_view kSmallRequest =
    "GET /articles/17?page=2 HTTP/1.1\r\nHost: www.example.test\r\nUser-Agent: client/1.0\r\n"
    "Accept: */*\r\n\r\n";

inline constexpr std::string_view kBrowserRequest =
    "GET /shop/products/keyboards?sort=price&page=3 HTTP/1.1\r\n"
    "Host: www.example.test\r\n"
    "Connection: keep-alive\r\n"
    "Cache-Control: max-age=0\r\n"
    "sec-ch-ua: \"Chromium\";v=\"120\", \"Not(A:Brand\";v=\"24\"\r\n"
    "sec-ch-ua-mobile: ?0\r\n"
    "sec-ch-ua-platform: \"Linux\"\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/120.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-User: ?1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Referer: https://www.example.test/shop/products/keyboards?sort=price&page=2\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: session=9f86d081884c7d659a2feaa0c55ad015; theme=dark; consent=1\r\n\r\n";

inline constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Fri, 27 Nov 2026 12:00:00 GMT\r\n"
    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 1024\r\n"
    "Cache-Control: private, max-age=60\r\nETag: \"5d8c72a5edda8\"\r\n"
    "Last-Modified: Thu, 26 Nov 2026 08:00:00 GMT\r\nVary: Accept-Encoding\r\n\r\n";

}  // namespace postern::http

#endif  // POSTERN_SRC_HTTP_HEADS_BENCH_UTIL_H_
