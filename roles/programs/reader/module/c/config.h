/* What rsyslog's headers ask its `configure` for, as Debian answers on both releases. The layout of what is used here depends on the first two. */
#define FEATURE_REGEXP 1
#define HAVE_ATOMIC_BUILTINS 1
#define HAVE_ATOMIC_BUILTINS_64BIT 1
#define NDEBUG 1
#define _GNU_SOURCE 1
