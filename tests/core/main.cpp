// The main function of every test program of the core (Boost.Test, header-only).
// SPDX-License-Identifier: MIT
#define BOOST_TEST_MODULE libmarc
#include <boost/test/included/unit_test.hpp>
