/* Linked into the deployed Lambda binaries only (scripts/lambda_package.sh).
 *
 * Dependencies call hypot and hypotf. glibc 2.35 gave both a new symbol version without errno, so that a binary linked
 * there does not start on provided.al2023, whose glibc is 2.34. The linker's --wrap redirects the calls to these
 * functions, which bind the first version. Every glibc has it. */

#if defined(__x86_64__)
#define FIRST "GLIBC_2.2.5"
#elif defined(__aarch64__)
#define FIRST "GLIBC_2.17"
#endif

double first_hypot(double x, double y);
float first_hypotf(float x, float y);
__asm__(".symver first_hypot, hypot@" FIRST);
__asm__(".symver first_hypotf, hypotf@" FIRST);

double __wrap_hypot(double x, double y) { return first_hypot(x, y); }
float __wrap_hypotf(float x, float y) { return first_hypotf(x, y); }
