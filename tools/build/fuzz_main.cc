// Runs a libFuzzer target as an ordinary, deterministic test: every file of the corpus as it is,
// then a fixed number of seeded mutations of them. It finds what is shallow; --config=fuzz links
// libFuzzer instead and finds the rest.
//
//   x_fuzz [--mutations=N] [--seed=N] [--size_max=N] [FILE or DIRECTORY]...
//
// An input that crashes is left in the file "crash" of $TEST_UNDECLARED_OUTPUTS_DIR (or of $TMPDIR,
// or of /tmp); "bazel test" keeps it in outputs.zip beside the test's log. Name it as the only
// argument, with --mutations=0, to see it again.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" __attribute__((weak)) int LLVMFuzzerInitialize(int* argc, char*** argv);

namespace {

using Input = std::vector<uint8_t>;

struct Options {
  uint64_t mutations = 20'000;  // about a second for a parser
  uint64_t seed = 1;
  uint64_t size_max = 4'096;
  std::vector<std::string> paths;
};

// SplitMix64: small, seedable, and the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15U;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }

  // In [0, bound); bound is not 0. The bias does not matter here.
  size_t Below(size_t bound) { return static_cast<size_t>(Next() % bound); }
  uint8_t Byte() { return static_cast<uint8_t>(Next()); }

 private:
  uint64_t state_;
};

// What is running now, for the handler of a crash. A signal handler can be given nothing else.
const Input* g_running = nullptr;
char g_crash_path[4096];

void OnCrash(int signal_number) {
  if (g_running != nullptr) {
    FILE* file = fopen(g_crash_path, "wb");
    if (file != nullptr) {
      fwrite(g_running->data(), 1, g_running->size(), file);
      fclose(file);
      fprintf(stderr, "fuzz: the input that crashed is in %s\n", g_crash_path);
    }
  }
  signal(signal_number, SIG_DFL);
  raise(signal_number);
}

void CatchCrashes() {
  std::string directory = "/tmp";
  for (const char* name : {"TMPDIR", "TEST_UNDECLARED_OUTPUTS_DIR"}) {
    if (const char* value = getenv(name); value != nullptr && *value != '\0') {
      directory = value;
    }
  }
  snprintf(g_crash_path, sizeof(g_crash_path), "%s/crash", directory.c_str());
  for (int signal_number : {SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE}) {
    signal(signal_number, OnCrash);
  }
}

void Run(const Input& input) {
  // A copy of exactly its size: reading past the end is then an error that AddressSanitizer sees.
  const Input exact(input.begin(), input.end());
  g_running = &exact;
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
  g_running = nullptr;
}

// Bytes that parsers treat specially turn up far more often than chance would have it.
uint8_t InterestingByte(Random& random) {
  static constexpr uint8_t kBytes[] = {0x00, 0x01, 0x7f, 0x80, 0xff, '\r', '\n', ' ',  '\t', ':',
                                       ',',  ';',  '=',  '"',  '\\', '%',  '/',  '.',  '0',  '9',
                                       'a',  'F',  '-',  '_',  0x16, 0x30, 0x82, 0xa0, 0xfe, '('};
  return random.Below(4) == 0 ? random.Byte() : kBytes[random.Below(std::size(kBytes))];
}

using Difference = Input::difference_type;

void InsertBytes(Input& input, Random& random) {
  const auto at = input.begin() + static_cast<Difference>(random.Below(input.size() + 1));
  input.insert(at, 1 + random.Below(8), InterestingByte(random));
}

void EraseBytes(Input& input, Random& random) {
  if (input.empty()) {
    return;
  }
  const size_t at = random.Below(input.size());
  const size_t count = std::min(input.size() - at, 1 + random.Below(16));
  const auto first = input.begin() + static_cast<Difference>(at);
  input.erase(first, first + static_cast<Difference>(count));
}

// Puts a piece of another input over or into this one.
void Splice(Input& input, const Input& other, Random& random) {
  if (other.empty()) {
    return;
  }
  const size_t from = random.Below(other.size());
  const size_t count = std::min(other.size() - from, 1 + random.Below(64));
  const auto first = other.begin() + static_cast<Difference>(from);
  const auto at = input.begin() + static_cast<Difference>(random.Below(input.size() + 1));
  input.insert(at, first, first + static_cast<Difference>(count));
}

void MutateOnce(Input& input, const Input& other, Random& random) {
  switch (random.Below(6)) {
    case 0:
      InsertBytes(input, random);
      return;
    case 1:
      EraseBytes(input, random);
      return;
    case 2:
      Splice(input, other, random);
      return;
    case 3:
      if (!input.empty()) {
        uint8_t& byte = input[random.Below(input.size())];
        byte = static_cast<uint8_t>(byte ^ (1U << random.Below(8)));
      }
      return;
    case 4:
      if (!input.empty()) {
        uint8_t& byte = input[random.Below(input.size())];
        byte = static_cast<uint8_t>(byte + (random.Below(2) == 0 ? 1 : 255));
      }
      return;
    case 5:
      if (!input.empty()) {
        input[random.Below(input.size())] = InterestingByte(random);
      }
      return;
  }
}

bool ReadFile(const std::filesystem::path& path, Input& input) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fprintf(stderr, "fuzz: cannot read %s\n", path.c_str());
    return false;
  }
  input.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  return true;
}

// Directories are read in sorted order, so that the same corpus always gives the same run.
bool ReadCorpus(const std::vector<std::string>& names, std::vector<Input>& corpus) {
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    std::error_code error;
    if (!std::filesystem::is_directory(name, error)) {
      files.emplace_back(name);
      continue;
    }
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(name, error)) {
      if (entry.is_regular_file(error)) {
        found.push_back(entry.path());
      }
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  for (const std::filesystem::path& path : files) {
    if (!ReadFile(path, corpus.emplace_back())) {
      return false;
    }
  }
  return true;
}

bool ParseNumber(std::string_view argument, std::string_view name, uint64_t& value) {
  if (!argument.starts_with(name)) {
    return false;
  }
  argument.remove_prefix(name.size());
  const char* end = argument.data() + argument.size();
  return std::from_chars(argument.data(), end, value).ptr == end && !argument.empty();
}

bool ParseOptions(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (ParseNumber(argument, "--mutations=", options.mutations) ||
        ParseNumber(argument, "--seed=", options.seed) ||
        ParseNumber(argument, "--size_max=", options.size_max)) {
      continue;
    }
    if (argument.starts_with("-")) {
      fprintf(stderr, "fuzz: unknown argument %s\n", argv[i]);
      return false;
    }
    options.paths.emplace_back(argument);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  std::vector<Input> corpus;
  if (!ParseOptions(argc, argv, options) || !ReadCorpus(options.paths, corpus)) {
    return 2;
  }
  if (LLVMFuzzerInitialize != nullptr) {
    LLVMFuzzerInitialize(&argc, &argv);
  }
  CatchCrashes();

  for (const Input& input : corpus) {
    Run(input);
  }
  const size_t files = corpus.size();
  corpus.emplace_back();  // mutations start from nothing, too

  Random random(options.seed);
  for (uint64_t i = 0; i < options.mutations; ++i) {
    Input input = corpus[random.Below(corpus.size())];
    const size_t steps = 1 + random.Below(6);
    for (size_t step = 0; step < steps; ++step) {
      MutateOnce(input, corpus[random.Below(corpus.size())], random);
    }
    if (input.size() > options.size_max) {
      input.resize(options.size_max);
    }
    Run(input);
  }
  printf("fuzz: %zu files and %llu mutations (seed %llu) ran\n", files,
         static_cast<unsigned long long>(options.mutations),
         static_cast<unsigned long long>(options.seed));
  return 0;
}
