# References for tests/assays, made with R 4.2.2 and survival 3.5-3 (Debian r-base-core, r-cran-survival):
#   Rscript make.R > references.json
# Every number is printed with 15 significant digits; the inputs are printed beside the answers.
suppressMessages(library(survival))
show <- function(x) if (is.character(x)) paste0('"', x, '"', collapse = ", ") else
  paste(trimws(formatC(x, digits = 15, format = "g")), collapse = ", ")
entry <- function(.name, ...) {
  parts <- list(...)
  body <- mapply(function(k, v) sprintf('"%s": [%s]', k, show(v)), names(parts), parts)
  sprintf('"%s": {%s}', .name, paste(body, collapse = ", "))
}
out <- c()

# exact binomial intervals
x <- c(0, 1, 4, 17, 50, 199, 200); n <- c(10, 30, 20, 40, 50, 200, 200)
ci <- mapply(function(a, b) binom.test(a, b)$conf.int, x, n)
out <- c(out, entry("binom.test", x = x, total = n, low = ci[1, ], high = ci[2, ]))

# Holm's correction
p <- c(0.011, 0.02, 0.0004, 0.04, 0.5, 0.02)
out <- c(out, entry("p.adjust.holm", p = p, corrected = p.adjust(p, "holm")))

# paired t-test of donors' shares
a <- c(52, 61, 47, 58, 12, 77, 30); b <- c(4, 6, 3, 5, 9, 11, 2)
t <- t.test(a / 200, b / 200, paired = TRUE)
out <- c(out, entry("t.test.paired", a = a, b = b, difference = unname(t$estimate), ci = t$conf.int, p = t$p.value))

# a normal mean with right- and left-censored members
y <- c(2.1, 2.9, 3.3, 3.6, 3.8, 4, 4, 4, 1.5, 2.6)
side <- c(0, 0, 0, 0, 0, 1, 1, 1, -1, 0)
time2 <- ifelse(side == 1, NA, y); time1 <- ifelse(side == -1, NA, y)
fit <- survreg(Surv(time1, time2, type = "interval2") ~ 1, dist = "gaussian", control = list(rel.tolerance = 1e-14))
out <- c(out, entry("survreg.both", y = y, side = side, mu = unname(coef(fit)), sigma = fit$scale))
y <- c(31.2, 33.5, 35.1, 36.9, 37, 37, 37, 34.4, 36.2, 37, 35.8, 37)
side <- c(0, 0, 0, 0, 1, 1, 1, 0, 0, 1, 0, 1)
fit <- survreg(Surv(y, side == 0) ~ 1, dist = "gaussian", control = list(rel.tolerance = 1e-14))
profile <- function(mu) {
  -optimize(function(s) -survreg_ll(mu, exp(s)), c(-5, 5), tol = 1e-12)$objective
}
survreg_ll <- function(mu, s) sum(ifelse(side == 0, dnorm(y, mu, s, log = TRUE), pnorm(y, mu, s, FALSE, TRUE)))
peak <- survreg_ll(coef(fit), fit$scale)
cut <- length(y) * log1p(qf(0.95, 1, length(y) - 1) / (length(y) - 1)) / 2
low <- uniroot(function(m) profile(m) - peak + cut, c(25, coef(fit)), tol = 1e-10)$root
high <- uniroot(function(m) profile(m) - peak + cut, c(coef(fit), 60), tol = 1e-10)$root
out <- c(out, entry("survreg.right", y = y, side = side, mu = unname(coef(fit)), sigma = fit$scale, ci = c(low, high)))

# four-parameter logistic through weighted means
dose <- c(30, 100, 300, 1000, 3000, 10000)
mean <- c(0.021, 0.034, 0.09, 0.352, 0.655, 0.74); se <- c(0.004, 0.006, 0.015, 0.03, 0.03, 0.025)
fit <- nls(mean ~ b + (t - b) / (1 + exp(h * (e - log(dose)))), weights = 1 / se^2,
           start = list(b = 0.02, t = 0.75, e = 7, h = 2), algorithm = "port", control = nls.control(tol = 1e-12))
out <- c(out, entry("nls.4pl", dose = dose, mean = mean, se = se, coef = c(coef(fit)[1:2], exp(coef(fit)[3]), coef(fit)[4])))

# exact McNemar
out <- c(out, entry("mcnemar.exact", first = c(6, 1, 9, 3), second = c(0, 5, 1, 3),
  p = mapply(function(f, s) binom.test(f, f + s)$p.value, c(6, 1, 9, 3), c(0, 5, 1, 3))))

# ddCt of complete pairs
arm <- c(8.1, 9.4, 7.9, 8.8, 10.2); control <- c(10.4, 11.2, 10.1, 9.9, 12.6)
t <- t.test(arm, control, paired = TRUE)
out <- c(out, entry("ddct", arm = arm, control = control, fold = 2^-unname(t$estimate), ci = 2^-rev(t$conf.int), p = t$p.value))

cat("{\n", paste(out, collapse = ",\n "), "\n}\n", sep = " ")
