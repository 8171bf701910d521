# References for tests/assays/test_dilution.py, made with R 4.2.2 and statmod 1.5.0 (Debian r-base-core, r-cran-statmod):
#   Rscript dilution.R > dilution.json
# The tables are made up but for "manual" and "four groups", which are those of
# statmod's manual page of elda. 15 significant digits.
suppressMessages(library(statmod))
show <- function(x) {
  if (is.character(x)) return(paste0('"', x, '"', collapse = ", "))
  text <- trimws(formatC(x, digits = 15, format = "g"))
  text[is.infinite(x)] <- ifelse(x[is.infinite(x)] > 0, "1e999", "-1e999")
  text[is.na(x)] <- "null"
  paste(text, collapse = ", ")
}
out <- c()
entry <- function(.name, ...) {
  parts <- list(...)
  body <- mapply(function(k, v) sprintf('"%s": [%s]', k, show(v)), names(parts), parts)
  out <<- c(out, sprintf('"%s": {%s}', .name, paste(body, collapse = ", ")))
}
# elda stops its glm at a relative change of 1e-8 in the deviance, which leaves 1e-5 in the slope; here until it stands
converged <- function(dose, tested, response, group) {
  inside <- tested > 0
  y <- (response / tested)[inside]; x <- log(dose)[inside]; g <- factor(group)[inside]; w <- tested[inside]
  f <- if (nlevels(g) > 1) y ~ g + x else y ~ x
  fit <- suppressWarnings(glm(f, family = binomial("cloglog"), weights = w,
                              control = glm.control(epsilon = 1e-14, maxit = 500)))
  s <- summary(fit)$coef["x", 1:2]
  z <- (s[1] - 1) / s[2]
  unname(c(s, z, 2 * pnorm(-abs(z))))
}
# goodness of fit of the single-hit model (one frequency for each group, slope 1) at elda's estimates, where glm may not
# come to an end; the error of quasibinomial glm where it does, else NA
fitted_well <- function(dose, tested, response, group, estimate) {
  inside <- tested > 0; g <- factor(group)[inside]
  mixed <- sapply(levels(g), function(k) { y <- response[inside][g == k]; n <- tested[inside][g == k]
                                           length(unique(dose[inside][g == k])) > 1 && sum(y) > 0 && any(y < n) })
  use <- g %in% levels(g)[mixed]
  if (!any(use)) return(rep(NA_real_, 5))
  at <- 1 / estimate[match(g, levels(g))][use]
  g <- factor(g[use]); n <- tested[inside][use]; y <- response[inside][use]; d <- dose[inside][use]
  mu <- -expm1(-at * d)
  deviance <- sum(binomial()$dev.resids(y / n, mu, n)); pearson <- sum((y - n * mu)^2 / (n * mu * (1 - mu)))
  df <- length(y) - nlevels(g)
  f <- if (nlevels(g) > 1) cbind(y, n - y) ~ 0 + g else cbind(y, n - y) ~ 1
  wide <- suppressWarnings(glm(f, family = quasibinomial("cloglog"), offset = log(d), start = as.vector(log(tapply(at, g, mean))),
                               control = glm.control(epsilon = 1e-14, maxit = 500)))
  same <- df > 0 && wide$converged && max(abs(coef(wide) - as.vector(log(tapply(at, g, mean))))) < 1e-6
  c(deviance, df, pearson, if (same) summary(wide)$coef[1, 2] else NA_real_, pearson / df)
}
tests <- function(x) if (is.null(x)) rep(NA_real_, 4) else unname(unlist(x))
analyse <- function(name, dose, tested, response, group = rep("all", length(dose))) {
  fit <- suppressWarnings(elda(response, dose, tested, group, test.unit.slope = TRUE))
  wald <- fit$test.slope.wald; lr <- fit$test.slope.lr
  entry(name, dose = dose, tested = tested, response = response, group = as.character(group),
        group_order = levels(factor(group)), lower = fit$CI[, 1], estimate = fit$CI[, 2], upper = fit$CI[, 3],
        wald = tests(wald), wald_converged = if (is.na(tests(lr)[3])) NA_real_ else converged(dose, tested, response, group),
        ratio = tests(lr),
        score_log = tests(fit$test.slope.score.logdose), score_dose = tests(fit$test.slope.score.dose),
        fit = fitted_well(dose, tested, response, group, fit$CI[, 2]),
        difference = if (is.null(fit$test.difference)) NA_real_ else unlist(fit$test.difference))
}
analyse("manual", c(50, 100, 200, 400, 800), rep(24, 5), c(2, 6, 9, 15, 21))
analyse("three doses", c(100, 300, 1000), c(24, 24, 24), c(5, 12, 22))
analyse("mice", c(100, 1000, 10000, 100000), c(6, 8, 8, 5), c(0, 2, 5, 5))
analyse("two groups", rep(c(10, 100, 1000), 2), rep(12, 6), c(1, 6, 12, 0, 2, 9), rep(c("a", "b"), each = 3))
analyse("three groups", rep(c(30, 100, 300, 1000), 3), c(24, 24, 24, 24, 20, 20, 20, 20, 12, 12, 12, 12),
        c(3, 9, 17, 24, 1, 4, 10, 17, 0, 1, 1, 5), rep(c("mock", "low", "high"), each = 4))
analyse("steep", c(10, 30, 100, 300), rep(48, 4), c(1, 6, 40, 48))
analyse("flat", c(10, 100, 1000, 10000), rep(24, 4), c(6, 10, 13, 19))
analyse("none responded", c(100, 1000, 10000), c(8, 8, 6), c(0, 0, 0))
analyse("all responded", c(10, 100, 1000), c(8, 8, 6), c(8, 8, 6))
analyse("one dose", 500, 96, 31)
analyse("one group without a response", rep(c(100, 1000), 2), rep(10, 4), c(2, 9, 0, 0), rep(c("a", "b"), each = 2))
analyse("one well", 1, 1, 1)
analyse("four groups", rep(c(30000, 20000, 4000, 500), 4), rep(6, 16), c(2, 3, 2, 1, 6, 5, 6, 1, 2, 3, 4, 2, 6, 6, 6, 1),
        rep(c("1", "2", "3", "4"), each = 4))
analyse("separated", c(10, 100, 1000), c(8, 8, 8), c(0, 3, 8))
analyse("every group at an edge", rep(c(100, 1000), 2), rep(10, 4), c(10, 10, 0, 0), rep(c("a", "b"), each = 2))
analyse("an empty dose", c(50, 100, 200, 400), c(0, 24, 24, 24), c(0, 6, 9, 15))
gof <- read.csv("../cases/gof.csv")
analyse("gof", gof$dose, gof$tested, gof$response)
cat("{\n", paste(out, collapse = ",\n"), "\n}\n", sep = "")
