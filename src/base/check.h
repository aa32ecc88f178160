// CHECK: programmer errors end the program at once, with the place and the condition. Operating
// errors (a peer, the kernel, a file) never go through here. CHECK stays in release builds; DCHECK
// is for what is too hot to test there.
#ifndef POSTERN_SRC_BASE_CHECK_H_
#define POSTERN_SRC_BASE_CHECK_H_

namespace postern::base {

// Writes "file:line: CHECK failed: condition" to standard error and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace postern::base

#define CHECK(condition)                                            \
  do {                                                              \
    if (__builtin_expect(!(condition), 0)) {                        \
      ::postern::base::CheckFailed(__FILE__, __LINE__, #condition); \
    }                                                               \
  } while (false)

#ifdef NDEBUG
#define DCHECK(condition) \
  do {                    \
    if (false) {          \
      (void)(condition);  \
    }                     \
  } while (false)
#else
#define DCHECK(condition) CHECK(condition)
#endif

#endif  // POSTERN_SRC_BASE_CHECK_H_
