#include "service/rpc/caller_load.h"

#include "gtest/gtest.h"

namespace hizo::rpc {
namespace {

TEST(CallerLoadTest, ACallerHasNoMoreCallsThanItMay) {
  CallerLoad load(2);
  EXPECT_TRUE(load.Begin("a"));
  EXPECT_TRUE(load.Begin("a"));
  EXPECT_FALSE(load.Begin("a"));
}

TEST(CallerLoadTest, CallersDoNotTakeEachOthersPlaces) {
  CallerLoad load(1);
  EXPECT_TRUE(load.Begin("a"));
  EXPECT_TRUE(load.Begin("b"));
  EXPECT_TRUE(load.Begin(""));
  EXPECT_FALSE(load.Begin("b"));
}

TEST(CallerLoadTest, AnEndMakesRoomForOne) {
  CallerLoad load(2);
  EXPECT_TRUE(load.Begin("a"));
  EXPECT_TRUE(load.Begin("a"));
  load.End("a");
  EXPECT_TRUE(load.Begin("a"));
  EXPECT_FALSE(load.Begin("a"));
}

TEST(CallerLoadTest, WhatWasRefusedCountsNothing) {
  CallerLoad load(1);
  EXPECT_TRUE(load.Begin("a"));
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(load.Begin("a"));
  load.End("a");
  EXPECT_TRUE(load.Begin("a"));
}

TEST(CallerLoadTest, AnEndWithoutABeginGivesNoRoom) {
  CallerLoad load(1);
  load.End("a");
  EXPECT_TRUE(load.Begin("a"));
  EXPECT_FALSE(load.Begin("a"));
}

}  // namespace
}  // namespace hizo::rpc
