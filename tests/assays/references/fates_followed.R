# References for senexo.assays.fates where donors were not followed to the time judged, made with R 4.2.2, survival 3.5-3:
#   Rscript fates_followed.R > fates_followed.json
# Aalen-Johansen over all cells of an arm, weights 1 / cells of the donor, infinitesimal jackknife over donors: the
# slopes of survfit's estimate in the weight of each donor, by central differences (with several states survfit's own
# std.err does not use cluster; with one it equals these).
# `fates4` is ../cases/fates4.csv.
suppressMessages({library(survival); library(jsonlite)})
set.seed(20261130)
out <- list()
case <- function(d, at) {
  found <- list(input = lapply(as.list(d), as.character), at = at)
  for (a in unique(d$arm)) {
    own <- d[d$arm == a, ]
    own$w <- 1 / as.numeric(table(own$donor)[as.character(own$donor)])
    own$state <- factor(own$fate, c("censored", sort(setdiff(unique(d$fate), "censored"))))
    shares <- function(weight) {
      own$weight <- weight
      s <- summary(survfit(Surv(time_h, state) ~ 1, own, weights = weight, id = seq_len(nrow(own))), times = at, extend = TRUE)
      s$pstate[1, -1]
    }
    h <- 1e-4
    slopes <- sapply(unique(as.character(own$donor)), function(d) {
      mine <- ifelse(own$donor == d, h, 0)
      (shares(own$w * (1 + mine)) - shares(own$w * (1 - mine))) / (2 * h)
    })
    error <- sqrt(rowSums(matrix(slopes^2, nrow = nlevels(own$state) - 1)))
    found[[a]] <- list(fate = levels(own$state)[-1], incidence = shares(own$w), error = error)
  }
  found
}
out$fates4 <- case(read.csv("../cases/fates4.csv"), 72)
n <- 90
d <- data.frame(arm = rep(c("mimic", "mock"), each = n / 2), donor = sample(paste0("d", 1:5), n, TRUE), cell = seq_len(n))
t <- rexp(n, 0.03); end <- c(d1 = 80, d2 = 30, d3 = 60, d4 = 25, d5 = 90)[d$donor] * runif(n, 0.8, 1)
d$time_h <- round(pmin(t, end), 1) + 0.1
d$fate <- ifelse(t > end, "censored", sample(c("death", "division", "loss"), n, TRUE, c(0.3, 0.5, 0.2)))
out$three <- case(d, 50)
cat(toJSON(out, digits = I(15), auto_unbox = FALSE, na = "null", null = "null"), "\n")
