/* The bridge: registers each C case with googletest and runs it through slt_run_case. The only C++
 * here. */
#include "tests/support/slt_bridge.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <string>
#include <thread>

extern "C" void slt_report_failure(const char *file, int line, const char *text)
{
    ADD_FAILURE_AT(file, line) << text;
}

static void skip(const char *file, int line, const char *text)
{
    GTEST_MESSAGE_AT_(file, line, text, ::testing::TestPartResult::kSkip);
}

extern "C" void slt_report_skip(const char *file, int line, const char *text)
{
    skip(file, line, text);
}

extern "C" bool slt_is_over(void)
{
    return testing::Test::HasFailure() || testing::Test::IsSkipped();
}

namespace
{

const slt_suite *current_suite()
{
    return slt_find_suite(testing::UnitTest::GetInstance()->current_test_suite()->name());
}

class Case : public testing::Test
{
  public:
    Case(const slt_case *c, const void *param, std::string full_name)
        : case_(c), param_(param), full_name_(std::move(full_name))
    {
    }
    static void SetUpTestSuite()
    {
        if (const slt_suite *suite = current_suite()) {
            slt_run_guarded(suite->start);
        }
    }
    static void TearDownTestSuite()
    {
        if (const slt_suite *suite = current_suite()) {
            slt_run_guarded(suite->stop);
        }
    }
    void TestBody() override { slt_run_case(case_, param_, full_name_.c_str()); }

  private:
    const slt_case *case_;
    const void *param_;
    std::string full_name_;
};

void add(const slt_case *c, const void *param)
{
    std::string name = c->name;
    if (param) {
        name += std::string("/") + *static_cast<const char *const *>(param);
    }
    /* In a filter, as ctest gives one for each case, a minus begins what is left out. */
    std::replace(name.begin(), name.end(), '-', '_');
    std::string full_name = std::string(c->suite) + "." + name;
    testing::RegisterTest(c->suite, name.c_str(), nullptr, nullptr, c->file, c->line,
                          [=]() -> Case * { return new Case(c, param, full_name); });
}

/* What googletest left of the arguments. */
bool options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        long seconds = i + 1 < argc ? std::strtol(argv[i + 1], nullptr, 10) : 0;
        if (std::strcmp(argv[i], "--seconds") != 0 || seconds < 1 || seconds > 1000000) {
            std::fprintf(stderr, "%s: '%s': besides googletest's options there is --seconds N\n",
                         argv[0], argv[i]);
            return false;
        }
        slt_set_seconds(static_cast<unsigned>(seconds));
        i++;
    }
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    testing::InitGoogleTest(&argc, argv);
    if (!options(argc, argv)) {
        return 2;
    }
    if (!slt_cases()) {
        std::fprintf(stderr, "no test cases in %s\n", argv[0]);
        return 1;
    }
    for (const slt_case *c = slt_cases(); c; c = c->next) {
        if (!c->params) {
            add(c, nullptr);
        }
        for (size_t i = 0; i < c->param_count; i++) {
            add(c, static_cast<const char *>(c->params) + i * c->param_size);
        }
    }
    std::thread([] {}).join(); /* ThreadSanitizer starts a thread of its own beside the first one:
                                  not in the middle of a case */
    return RUN_ALL_TESTS();
}
