/* What builds with AddressSanitizer and UBSan take for granted; ASAN_OPTIONS and UBSAN_OPTIONS override it. A program may ask for
 * more memory than there is (MemoryError), immortal objects live until the process ends (tests/leaks.py looks for leaks), and the
 * first report ends the run: a report that scrolls by is one nobody sees. */
#if defined __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined __SANITIZE_ADDRESS__
#define SANITIZED 1
#endif

#ifdef SANITIZED
__attribute__((visibility("default"))) const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__ubsan_default_options(void);

const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1:detect_stack_use_after_return=0"; }
const char *__ubsan_default_options(void) { return "print_stacktrace=1:halt_on_error=1"; }
#endif
