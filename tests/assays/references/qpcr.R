# References of the qPCR assay, made with R 4.2.2 and survival 3.5-3 (Debian r-base-core, r-cran-survival):
#   Rscript qpcr.R > qpcr.json
# Every number is printed with 15 significant digits; the inputs are printed beside the answers.
suppressMessages(library(survival))
show <- function(x) paste(trimws(formatC(x, digits = 15, format = "g")), collapse = ", ")
entry <- function(.name, ...) {
  parts <- list(...)
  body <- mapply(function(k, v) sprintf('"%s": [%s]', k, show(v)), names(parts), parts)
  sprintf('"%s": {%s}', .name, paste(body, collapse = ", "))
}
out <- c()
root <- function(f, low, high) uniroot(f, c(low, high), tol = 1e-12)$root

# two groups of different donors, some beyond the cut-off: Tobit with one standard deviation
first <- c(12.1, 13.4, 11.8, 14.0, 12.9, 14.0, 13.1); side <- c(0, 0, 0, 1, 0, 1, 0)
second <- c(10.2, 11.6, 9.8, 12.4, 10.9, 11.1); side2 <- c(0, 0, 0, 0, 0, 0)
y <- c(first, second); seen <- c(side, side2) == 0; arm <- rep(1:0, c(7, 6))
fit <- survreg(Surv(y, seen) ~ arm, dist = "gaussian", control = list(rel.tolerance = 1e-15, maxiter = 200))
held <- function(d) survreg(Surv(y - d * arm, seen) ~ 1, dist = "gaussian",
  control = list(rel.tolerance = 1e-15, maxiter = 200))$loglik[1]
m <- length(y); half <- m * log1p(qf(0.95, 1, m - 2) / (m - 2)) / 2; d <- coef(fit)[[2]]
ci <- c(root(function(x) held(x) - fit$loglik[2] + half, d - 4, d), root(function(x) held(x) - fit$loglik[2] + half, d, d + 4))
ratio <- 2 * (fit$loglik[2] - held(0))
out <- c(out, entry("survreg.groups", first = first, side = side, second = second, side2 = side2, difference = d,
  sigma = fit$scale, ci = ci, p = pf((m - 2) * expm1(ratio / m), 1, m - 2, lower.tail = FALSE)))

# two groups, all detected: Welch
arm <- c(8.1, 9.4, 7.9, 8.8, 10.2); control <- c(10.4, 11.2, 10.1, 9.9, 12.6, 11.0)
t <- t.test(arm, control)
out <- c(out, entry("welch.ddct", arm = arm, control = control, fold = 2^(diff(t$estimate)[[1]]), ci = 2^-rev(t$conf.int),
  p = t$p.value))

# efficiency from a dilution series
quantity <- c(1, 0.2, 0.04, 0.008, 0.0016); ct <- c(21.05, 23.41, 25.92, 28.17, 30.66)
fit <- lm(ct ~ log10(quantity)); ci <- confint(fit)[2, ]
out <- c(out, entry("lm.efficiency", quantity = quantity, ct = ct, slope = coef(fit)[[2]], intercept = coef(fit)[[1]],
  r_squared = summary(fit)$r.squared, efficiency = 10^(-1 / coef(fit)[[2]]) - 1, ci = 10^(-1 / ci) - 1))

# detected or not, different donors
a <- c(1, 4, 6); n <- c(5, 9, 6); b <- c(5, 8, 0); n0 <- c(5, 10, 7)
out <- c(out, entry("fisher.detection", seen = a, n = n, seen_other = b, n_other = n0,
  p = mapply(function(a, n, b, m) fisher.test(matrix(c(a, n - a, b, m - b), 2))$p.value, a, n, b, n0)))

# geNorm's M by its definition
u6 <- c(20.1, 20.9, 19.8, 20.4); rnu <- c(23.6, 24.1, 23.2, 23.7); mir16 <- c(25.2, 25.1, 25.9, 24.8)
logs <- -cbind(u6, rnu, mir16); m <- sapply(1:3, function(j) mean(sapply(setdiff(1:3, j), function(k) sd(logs[, j] - logs[, k]))))
out <- c(out, entry("genorm.m", u6 = u6, rnu = rnu, mir16 = mir16, m = m))

cat("{\n", paste(out, collapse = ",\n "), "\n}\n", sep = " ")
